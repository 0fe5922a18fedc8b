from django.apps import AppConfig


class CommsConfig(AppConfig):
    name = "tocsin.comms"
    label = "comms"
