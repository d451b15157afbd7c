from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from entitlements.models.customer import Customer
from plans.models import Plan

DEFAULT_FRESHNESS_SECONDS = 60


class MarginGuard(models.Model):
    """A floor under the projected margin of a customer's period, for everyone on a plan or for one customer.

    A customer's own guards take the place of the plan's. In force during [starts_at, ends_at); a change acts from its
    commit on, because it moves the revision of what every gate keeps in memory.
    """

    class Action(models.TextChoices):
        WARN = "warn", "warn"
        DOWNGRADE = "downgrade", "downgrade along the fallback chain"
        DENY = "deny", "deny"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    floor = models.DecimalField(
        max_digits=7, decimal_places=6, help_text="Projected margin ÷ revenue of the period: 0.4 is 40 %."
    )
    action = models.CharField(max_length=10, choices=Action.choices, help_text="What happens below the floor.")
    freshness_seconds = models.PositiveIntegerField(
        default=DEFAULT_FRESHNESS_SECONDS,
        validators=[MinValueValidator(5), MaxValueValidator(86_400)],
        help_text="Figures older than this are stale.",
    )
    trusts_stale = models.BooleanField(
        default=False, help_text="Act on stale figures too. Otherwise they are told and do not block."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        db_table = "margin_guard"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(plan=None, customer__isnull=False) | Q(plan__isnull=False, customer=None),
                name="margin_guard_is_of_a_plan_or_a_customer",
                violation_error_message="Name either a plan or a customer.",
            ),
            models.CheckConstraint(
                condition=Q(floor__gte=-1, floor__lte=1),
                name="margin_guard_floor_is_a_share",
                violation_error_message="A floor is between -1 and 1: 0.4 is 40 %.",
            ),
            models.CheckConstraint(
                condition=Q(freshness_seconds__gte=5, freshness_seconds__lte=86_400),
                name="margin_guard_freshness_is_seconds_to_a_day",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["warn", "downgrade", "deny"]), name="margin_guard_action_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
                name="margin_guard_ends_after_it_starts",
                violation_error_message="A guard cannot end before it starts.",
            ),
            models.UniqueConstraint(
                fields=["plan", "action"],
                condition=Q(ends_at=None),
                name="margin_guard_of_a_plan_is_one_per_action",
                violation_error_message="The plan has such a guard already: end that first.",
            ),
            models.UniqueConstraint(
                fields=["customer", "action"],
                condition=Q(ends_at=None),
                name="margin_guard_of_a_customer_is_one_per_action",
                violation_error_message="The customer has such a guard already: end that first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan or self.customer}: {self.action} below {self.floor.normalize():f}"


class MarginFigure(models.Model):
    """What a guarded customer's period is projected to leave, as last worked out (margins/guard). The gate reads it.

    Amounts are nano-units of `currency`. `ratio_micro` is in millionths, empty without revenue.
    """

    customer_id = models.BigIntegerField(primary_key=True)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    computed_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    revenue_nano = models.BigIntegerField()
    cost_nano = models.BigIntegerField()
    ratio_micro = models.BigIntegerField(null=True)
    unpriced_calls = models.BigIntegerField(help_text="Calls so far whose cost is missing from it.")

    class Meta:
        db_table = "margin_figure"
        constraints = [
            models.CheckConstraint(
                condition=Q(ratio_micro__isnull=False, revenue_nano__gt=0) | Q(ratio_micro=None, revenue_nano__lte=0),
                name="margin_figure_has_a_ratio_of_revenue",
            ),
        ]

    def __str__(self) -> str:
        return f"customer {self.customer_id}: {self.ratio_micro}"
