from django.conf import settings
from django.db import models
from django.db.models import Q

from margins.inference import InferenceCost

CURRENCIES = [(code, code) for code in settings.CURRENCIES]


class MarginSetting(models.Model):
    """How margins are reported: one row, made by the first who changes anything."""

    INFERENCE = [
        (InferenceCost.STAMPED.value, "the provider's own figure where it reported one, else ours"),
        (InferenceCost.COMPUTED.value, "ours alone, by cost cards and list prices"),
    ]

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    reporting_currency = models.CharField(
        max_length=3,
        choices=CURRENCIES,
        default="USD",
        help_text="What margins of all currencies are shown in together.",
    )
    inference_cost = models.CharField(max_length=10, choices=INFERENCE, default=InferenceCost.STAMPED.value)

    class Meta:
        db_table = "margin_setting"
        verbose_name = "margin setting"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="margin_setting_is_one"),
            models.CheckConstraint(
                condition=Q(inference_cost__in=[one.value for one in InferenceCost]),
                name="margin_setting_inference_cost_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"margins in {self.reporting_currency}"


class FxRate(models.Model):
    """What one unit of a currency was worth in another on a UTC day. A day without one takes the latest of a week."""

    currency = models.CharField(max_length=3, choices=CURRENCIES)
    into = models.CharField(max_length=3, choices=CURRENCIES, help_text="The reporting currency.")
    day = models.DateField()
    rate = models.DecimalField(
        max_digits=20, decimal_places=10, help_text="Units of the reporting currency for one unit of the currency."
    )
    source = models.CharField(max_length=200, help_text="Who says so: a central bank, a contract.")

    class Meta:
        db_table = "fx_rate"
        ordering = ["-day", "currency", "into"]
        verbose_name = "exchange rate"
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "into", "day"],
                name="fx_rate_is_one_a_day",
                violation_error_message="There is a rate of that day already.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0), name="fx_rate_is_positive", violation_error_message="A rate is above zero."
            ),
            models.CheckConstraint(
                condition=~Q(currency=models.F("into")),
                name="fx_rate_is_between_two",
                violation_error_message="A currency is worth itself.",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="fx_rate_names_its_source"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} in {self.into} on {self.day}"
