"""Column kinds that several catalogue models share."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models

KEY_PATTERN = r"^[a-z0-9][a-z0-9._-]*$"

key_validator = RegexValidator(KEY_PATTERN, "Lower-case letters, digits, dots, dashes and underscores.")


def key_field(**options: Any) -> "models.CharField[str, str]":
    """A stable, human-chosen key: what the API and the catalogue file call a thing."""
    return models.CharField(max_length=64, validators=[key_validator], **({"unique": True} | options))


def microcredits_field(**options: Any) -> "models.BigIntegerField[int, int]":
    """Microcredits: millionths of a credit."""
    return models.BigIntegerField(**options)
