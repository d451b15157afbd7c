from django.db import models

from plans.models.fields import key_field


class Feature(models.Model):
    """A keyed capability of the product: something a plan can include."""

    class Kind(models.TextChoices):
        BOOLEAN = "boolean", "Boolean: on or off"
        STATIC = "static", "Static: a configuration value"
        METERED = "metered", "Metered: each use costs credits"

    key = key_field()
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.METERED)

    class Meta:
        db_table = "feature"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key
