from django.apps import AppConfig


class MarginsConfig(AppConfig):
    name = "margins"
    verbose_name = "Margins"
