from django.db import models
from django.db.models import Q

from plans.models.ai_model import AIModel, ModelTier
from plans.models.feature import Feature
from plans.models.fields import key_field, microcredits_field


class RateCard(models.Model):
    """What we charge, in credits. Plans point at a card; its versions follow each other by date."""

    key = key_field()
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "rate_card"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class RateCardVersion(models.Model):
    """The rates in force from an instant on, until the next published version's instant.

    Immutable once published (trigger ``rate_card_is_published``).
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    class Rounding(models.TextChoices):
        UP = "up", "up"
        HALF_UP = "half_up", "half up"
        HALF_EVEN = "half_even", "half to even"
        DOWN = "down", "down"

    card = models.ForeignKey(RateCard, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    rounding = models.CharField(max_length=10, choices=Rounding.choices, default=Rounding.UP)
    rounding_increment_microcredits = microcredits_field(
        default=1, help_text="Charges are rounded once per event to a multiple of this: 1,000,000 is whole credits."
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "rate_card_version"
        ordering = ["card", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["card", "number"], name="rate_card_version_number_is_unique"),
            models.UniqueConstraint(
                fields=["card", "effective_from"],
                condition=Q(status="published"),
                name="rate_card_version_dates_differ",
            ),
            models.CheckConstraint(
                condition=Q(rounding_increment_microcredits__gte=1), name="rate_card_rounding_increment_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None) | Q(status="published", published_at__isnull=False),
                name="rate_card_version_publication_is_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.card} v{self.number}"


class Rate(models.Model):
    """What a use of a feature on a model costs. Empty selectors match everything.

    The most specific row prices the whole event: feature and model, feature and tier, feature,
    model, tier, then the row with no selector.
    """

    version = models.ForeignKey(RateCardVersion, on_delete=models.CASCADE, related_name="rates")
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    model = models.ForeignKey(AIModel, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tier = models.ForeignKey(ModelTier, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    action_microcredits = microcredits_field(default=0, help_text="Charged once per action.")
    minimum_microcredits = microcredits_field(default=0, help_text="An action is never charged less.")

    class Meta:
        db_table = "rate"
        ordering = ["version", "feature", "model", "tier"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "feature", "model", "tier"],
                nulls_distinct=False,
                name="rate_selector_is_unique",
            ),
            models.CheckConstraint(
                condition=Q(model=None) | Q(tier=None), name="rate_selects_a_model_or_a_tier_not_both"
            ),
            models.CheckConstraint(
                condition=Q(action_microcredits__gte=0, minimum_microcredits__gte=0), name="rate_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(str(part) for part in (self.feature, self.model, self.tier) if part) or "everything"


class TokenRate(models.Model):
    """Credits per tokens of one kind. A kind with no rate here is charged at its parent's (kernel.usage.PARENT)."""

    class Per(models.IntegerChoices):
        ONE = 1, "each"
        THOUSAND = 1_000, "per 1k"
        MILLION = 1_000_000, "per 1M"

    rate = models.ForeignKey(Rate, on_delete=models.CASCADE, related_name="token_rates")
    kind = models.CharField(max_length=32, help_text="A field of the neutral usage form, such as input_tokens.")
    microcredits = microcredits_field()
    per = models.PositiveIntegerField(choices=Per.choices, default=Per.MILLION)

    class Meta:
        db_table = "token_rate"
        ordering = ["rate", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["rate", "kind"], name="token_rate_kind_is_unique"),
            models.CheckConstraint(condition=Q(microcredits__gte=0), name="token_rate_is_not_negative"),
            models.CheckConstraint(condition=Q(per__in=[1, 1_000, 1_000_000]), name="token_rate_unit_is_known"),
        ]

    def __str__(self) -> str:
        return self.kind
