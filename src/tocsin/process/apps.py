from django.apps import AppConfig


class ProcessConfig(AppConfig):
    name = "tocsin.process"
    label = "process"
