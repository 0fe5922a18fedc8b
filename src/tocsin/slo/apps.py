from django.apps import AppConfig


class SloConfig(AppConfig):
    name = "tocsin.slo"
    label = "slo"
