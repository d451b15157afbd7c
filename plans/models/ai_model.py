from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from plans.models.fields import key_field


class ModelTier(models.Model):
    """A rank of models: an entitlement allows every tier up to and including its own."""

    key = key_field()
    name = models.CharField(max_length=100)
    rank = models.PositiveSmallIntegerField(unique=True, help_text="Higher is dearer.")

    class Meta:
        db_table = "model_tier"
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.key


class AIModel(models.Model):
    """A family of provider model ids that we sell and rate as one.

    A reported id belongs to the family when it equals the key or an alias, or is matched by a rule
    (see plans/model_names.py for the order).
    """

    key = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=100)
    provider = models.CharField(max_length=32, help_text="As usage reports it: openai, anthropic, google, aws …")
    tier = models.ForeignKey(ModelTier, on_delete=models.PROTECT, related_name="models")
    aliases = ArrayField(models.CharField(max_length=128), default=list, blank=True)

    class Meta:
        db_table = "ai_model"
        ordering = ["key"]
        verbose_name = "model"

    def __str__(self) -> str:
        return self.key


class ModelMatch(models.Model):
    """A rule that maps reported model ids to their family."""

    class Kind(models.TextChoices):
        PREFIX = "prefix", "starts with"
        REGEX = "regex", "matches the whole pattern"

    model = models.ForeignKey(AIModel, on_delete=models.CASCADE, related_name="matches")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PREFIX)
    pattern = models.CharField(max_length=200)

    class Meta:
        db_table = "model_match"
        ordering = ["kind", "pattern"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "pattern"], name="model_match_is_unambiguous"),
            models.CheckConstraint(condition=~Q(pattern=""), name="model_match_pattern_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"
