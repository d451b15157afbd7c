"""API keys: who may call, and for what."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Scope(models.TextChoices):
    CHECK = "check", "Check: ask and hold before a call"
    USAGE = "usage", "Usage: report what happened"
    READ = "read", "Read: customers, balances, catalogue, margins"
    ADMIN = "admin", "Admin: everything, including catalogue and grants"


class ApiKey(models.Model):
    """A bearer secret. Only its SHA-256 is kept: the secret has 256 bits of its own, so a slow hash adds nothing."""

    name = models.CharField(max_length=100, help_text="Who or what uses it.")
    prefix = models.CharField(max_length=16, unique=True, help_text="The public start of the key.")
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0) & Q(scopes__contained_by=[scope.value for scope in Scope]),
                name="api_key_scopes_are_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
