from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "tocsin.platform"
    label = "platform"
    verbose_name = "Platform"
