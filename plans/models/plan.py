from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from djmoney.models.fields import MoneyField

from plans.models.ai_model import AIModel, ModelTier
from plans.models.feature import Feature
from plans.models.fields import key_field, microcredits_field
from plans.models.rate_card import RateCard
from plans.terms import SHARED_SCOPES, SHARED_WINDOWS


class Plan(models.Model):
    """Something a customer can subscribe to. What it contains lives in its versions."""

    key = key_field()
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)

    class Meta:
        db_table = "plan"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class PlanVersion(models.Model):
    """An immutable snapshot of a plan once published; subscribers stay on theirs until migrated.

    The database refuses changes to a published version and to its entitlements, limits and
    fallbacks (triggers of plans/sql/publish_guard); it can only be retired.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        RETIRED = "retired", "Retired"

    class Interval(models.TextChoices):
        MONTH = "month", "month"
        YEAR = "year", "year"

    class Renewal(models.TextChoices):
        NEVER = "never", "once, at the start"
        DAY = "day", "every day"
        WEEK = "week", "every week"
        MONTH = "month", "every month"
        YEAR = "year", "every year"

    class Unpriced(models.TextChoices):
        ALLOW = "allow", "allow, and flag as unpriced"
        DENY = "deny", "deny"

    class Grace(models.TextChoices):
        KEEP = "keep", "keep everything"
        SOFT_LIMIT = "soft_limit", "use up what is there, no overage"
        BLOCK = "block", "block"

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    price = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", default=0)
    interval = models.CharField(max_length=8, choices=Interval.choices, default=Interval.MONTH)
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="plan_versions")
    included_microcredits = microcredits_field(default=0, help_text="Allowance granted each renewal.")
    allowance_renewal = models.CharField(max_length=8, choices=Renewal.choices, default=Renewal.MONTH)
    rollover_max_microcredits = microcredits_field(
        default=0, help_text="How much unused allowance may move into the next period; 0 is none."
    )
    allowance_priority = models.PositiveSmallIntegerField(default=50, help_text="Burn order: lower burns first.")
    unpriced = models.CharField(
        max_length=8,
        choices=Unpriced.choices,
        default=Unpriced.ALLOW,
        help_text="What to do with a model nobody priced.",
    )
    overage_price = MoneyField(
        max_digits=14, decimal_places=6, default_currency="USD", null=True, blank=True,
        help_text="Price of one credit of overage.",
    )  # fmt: skip
    spend_cap_microcredits = microcredits_field(
        null=True, blank=True, help_text="Overage stops here each period; empty is no cap."
    )
    overage_invoice_at_microcredits = microcredits_field(
        null=True,
        blank=True,
        help_text="Overage is invoiced as soon as it reaches this; empty waits for the period's end.",
    )
    grace = models.CharField(
        "grace policy",
        max_length=10,
        choices=Grace.choices,
        default=Grace.KEEP,
        help_text="What a subscriber may do whose payment stays overdue past the days of grace.",
    )
    grace_days = models.PositiveSmallIntegerField(
        default=0, help_text="How long nothing changes after a payment has failed."
    )
    published_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[PlanVersion]"] = models.Manager()

    class Meta:
        db_table = "plan_version"
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_is_unique"),
            models.UniqueConstraint(fields=["plan"], condition=Q(status="draft"), name="plan_has_one_draft"),
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None, retired_at=None)
                | Q(status="published", published_at__isnull=False, retired_at=None)
                | Q(status="retired", published_at__isnull=False, retired_at__isnull=False),
                name="plan_version_status_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(included_microcredits__gte=0, rollover_max_microcredits__gte=0, price__gte=0),
                name="plan_version_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(spend_cap_microcredits=None) | Q(spend_cap_microcredits__gte=0),
                name="plan_version_spend_cap_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(overage_invoice_at_microcredits=None)
                | Q(overage_invoice_at_microcredits__gt=0, overage_price__isnull=False),
                name="plan_version_invoices_priced_overage",
                violation_error_message="Overage can only be invoiced at an amount above 0, and with a price.",
            ),
            models.CheckConstraint(
                condition=Q(grace__in=("keep", "soft_limit", "block"), grace_days__lte=365),
                name="plan_version_grace_is_known",
                violation_error_message="Grace lasts a year at most.",
            ),
            models.CheckConstraint(
                condition=Q(overage_price=None)
                | Q(overage_price__gte=0, overage_price_currency=models.F("price_currency")),
                name="plan_version_has_one_currency",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"


class PlanEntitlement(models.Model):
    """A feature the plan includes, on models up to a tier, and what happens when credits or a limit run out."""

    class AtLimit(models.TextChoices):
        DENY = "deny", "deny"
        DOWNGRADE = "downgrade", "downgrade along the fallback chain"
        OVERAGE = "overage", "allow as overage"

    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="entitlements")
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="+")
    max_tier = models.ForeignKey(
        ModelTier,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty allows every tier.",
    )
    at_limit = models.CharField(max_length=10, choices=AtLimit.choices, default=AtLimit.DENY)
    config = models.JSONField(null=True, blank=True, help_text="The value of a static feature.")

    class Meta:
        db_table = "plan_entitlement"
        ordering = ["plan_version", "feature"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "feature"], name="plan_entitlement_feature_is_unique"),
        ]

    def __str__(self) -> str:
        return str(self.feature)


class PlanLimit(models.Model):
    """Everything besides the balance that says no, or warns: scope × what it covers × unit × window × kind × value."""

    class Scope(models.TextChoices):
        CUSTOMER = "customer", "customer"
        USER = "user", "each user"
        RUN = "run", "each run"
        PLAN = "plan", "everyone on the plan"
        EVERYONE = "everyone", "everyone"

    class Unit(models.TextChoices):
        CALLS = "calls", "calls"
        CREDITS = "credits", "credits (microcredits)"
        COST = "cost", "supplier cost (nano-USD)"
        TOKENS = "tokens", "tokens"

    class Window(models.TextChoices):
        DRAW = "draw", "one draw"
        MINUTE = "minute", "minute"
        HOUR = "hour", "hour"
        DAY = "day", "day"
        PERIOD = "period", "billing period"
        RUN = "run", "run"
        LIFETIME = "lifetime", "lifetime"

    class Kind(models.TextChoices):
        HARD = "hard", "hard"
        SOFT = "soft", "soft"

    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="limits")
    key = key_field(unique=False)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.CUSTOMER)
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tier = models.ForeignKey(ModelTier, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    unit = models.CharField(max_length=8, choices=Unit.choices)
    window = models.CharField(max_length=8, choices=Window.choices)
    kind = models.CharField(max_length=4, choices=Kind.choices, default=Kind.HARD)
    value = models.BigIntegerField(help_text="In the unit: calls, tokens, microcredits or nano-USD.")
    warn_at_percent = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)

    class Meta:
        db_table = "plan_limit"
        ordering = ["plan_version", "key"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "key"], name="plan_limit_key_is_unique"),
            models.CheckConstraint(condition=Q(value__gte=0), name="plan_limit_value_is_not_negative"),
            models.CheckConstraint(condition=Q(feature=None) | Q(tier=None), name="plan_limit_covers_one_thing"),
            models.CheckConstraint(
                condition=~Q(window="run") | Q(scope="run"),
                name="plan_limit_window_of_a_run_is_each_runs",
                violation_error_message="A window of a run needs the scope of each run.",
            ),
            models.CheckConstraint(
                condition=~Q(scope__in=SHARED_SCOPES) | Q(window__in=SHARED_WINDOWS),
                name="plan_limit_shared_window_is_rolled_up",
                violation_error_message="What many customers share is counted by day, period or lifetime.",
            ),
            models.CheckConstraint(
                condition=Q(warn_at_percent__contained_by=list(range(1, 101))),
                name="plan_limit_warns_at_percentages",
                violation_error_message="Warnings come at percentages between 1 and 100.",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class FallbackStep(models.Model):
    """A place in the plan's fallback chain: the models to try, in order, when a dearer one is refused."""

    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="fallbacks")
    position = models.PositiveSmallIntegerField()
    model = models.ForeignKey(AIModel, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "fallback_step"
        ordering = ["plan_version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "position"], name="fallback_position_is_unique"),
            models.UniqueConstraint(fields=["plan_version", "model"], name="fallback_model_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.model}"
