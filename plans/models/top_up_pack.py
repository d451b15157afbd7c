from typing import ClassVar

from django.db import models
from django.db.models import Q
from djmoney.models.fields import MoneyField

from plans.models.fields import key_field, microcredits_field


class TopUpPack(models.Model):
    """Credits for sale. Bonus credits come on top and earn no revenue when burned."""

    key = key_field()
    name = models.CharField(max_length=100)
    microcredits = microcredits_field()
    bonus_microcredits = microcredits_field(default=0)
    price = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    expires_after_days = models.PositiveIntegerField(null=True, blank=True, help_text="Empty never expires.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the buy page.")
    active = models.BooleanField(default=True)

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[TopUpPack]"] = models.Manager()

    class Meta:
        db_table = "top_up_pack"
        ordering = ["position", "key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(microcredits__gt=0, bonus_microcredits__gte=0, price__gte=0),
                name="top_up_pack_amounts_are_sane",
            ),
        ]

    def __str__(self) -> str:
        return self.key
