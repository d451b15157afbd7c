from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access.logging import configure_logging

        configure_logging(level=settings.LOG_LEVEL, as_json=settings.LOG_JSON)
        import_module("access.openapi")  # Importing it is how drf-spectacular learns of the bearer scheme.
