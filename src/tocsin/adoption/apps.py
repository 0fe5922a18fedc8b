from django.apps import AppConfig


class AdoptionConfig(AppConfig):
    name = "tocsin.adoption"
    label = "adoption"
