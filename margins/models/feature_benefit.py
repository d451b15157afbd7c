from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from plans.models import Feature


class FeatureBenefit(models.Model):
    """What somebody says a feature earns per user and calendar month: an assumption, kept with its reason.

    It holds from `starts_on` until the feature's next one does; one of zero ends it.
    """

    class Kind(models.TextChoices):
        CHURN = "churn", "churn prevented"
        EXPANSION = "expansion", "larger plans sold"
        SUPPORT = "support", "support saved"
        OTHER = "other", "something else"

    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CHURN)
    amount = MoneyField(
        max_digits=14, decimal_places=6, default_currency="USD", help_text="Per active user and calendar month."
    )
    investment = MoneyField(
        max_digits=14, decimal_places=2, default_currency="USD", null=True, blank=True,
        help_text="What building it cost, once. Says after how many months it is back.",
    )  # fmt: skip
    assumption = models.TextField(help_text="Where the figure comes from: an experiment, a survey, a guess.")
    starts_on = models.DateField(help_text="First UTC day it holds.")

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[FeatureBenefit]"] = models.Manager()

    class Meta:
        db_table = "feature_benefit"
        ordering = ["feature", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["feature", "starts_on"],
                name="feature_benefit_starts_once",
                violation_error_message="This feature has a benefit from that day on already.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0) & (Q(investment=None) | Q(investment__gte=0)),
                name="feature_benefit_is_not_negative",
                violation_error_message="A benefit and an investment cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(investment=None) | Q(investment_currency=F("amount_currency")),
                name="feature_benefit_has_one_currency",
                violation_error_message="The investment must be in the benefit's currency.",
            ),
            models.CheckConstraint(
                condition=~Q(assumption=""),
                name="feature_benefit_states_its_assumption",
                violation_error_message="Say where the figure comes from.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feature}, {self.get_kind_display()}"
