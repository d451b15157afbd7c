from typing import ClassVar

from django.contrib import admin
from django.db import models
from unfold.decorators import display

from entitlements.admin.lines import Line, LinesAdmin
from kernel.units import format_credits, format_usd
from kernel.usage import COLUMN_FIELDS
from plans.models import Feature, PlanVersion


class UsageLine(Line):
    """A usage event, from the view usage_line."""

    key_digest = models.UUIDField()
    key = models.TextField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    feature = models.ForeignKey(Feature, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    action = models.TextField()
    user_key = models.TextField(verbose_name="user")
    run_key = models.TextField(verbose_name="run")
    tags = models.JSONField(null=True)
    provider = models.TextField()
    model = models.TextField()
    reported_model = models.TextField()
    processing = models.TextField()
    region = models.TextField()
    memoised = models.BooleanField()
    input_tokens = models.IntegerField()
    cache_read_tokens = models.IntegerField()
    cache_write_5m_tokens = models.IntegerField()
    cache_write_1h_tokens = models.IntegerField()
    output_tokens = models.IntegerField()
    reasoning_tokens = models.IntegerField()
    other_usage = models.JSONField(null=True)
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    charged_microcredits = models.BigIntegerField(null=True)
    cost_nanousd = models.BigIntegerField(null=True)
    computed_cost_nanousd = models.BigIntegerField(null=True)
    reported_cost_nanousd = models.BigIntegerField(null=True)
    cost_card = models.TextField()

    class Meta:
        managed = False
        db_table = "usage_line"
        verbose_name = "usage event"
        ordering = ["-occurred_at"]

    def __str__(self) -> str:
        return self.key


@admin.register(UsageLine)
class UsageLineAdmin(LinesAdmin):
    """Usage events, newest first."""

    table: ClassVar[str] = "usage_event"
    row_key: ClassVar[str] = "key_digest"
    list_select_related = ("customer", "feature", "plan_version__plan")
    list_display = (
        "customer",
        "occurred_at",
        "feature",
        "user_key",
        "model",
        "show_tokens",
        "show_credits",
        "show_cost",
    )
    list_filter = ("feature", ("cost_nanousd", admin.EmptyFieldListFilter), "memoised")
    fields = (
        "customer",
        "key",
        ("occurred_at", "received_at"),
        ("feature", "action"),
        ("user_key", "run_key"),
        ("provider", "model", "reported_model"),
        ("processing", "region", "memoised"),
        COLUMN_FIELDS[:4],
        COLUMN_FIELDS[4:],
        "other_usage",
        ("plan_version", "show_credits"),
        ("show_cost", "show_computed", "show_reported"),
        "cost_card",
        "tags",
    )

    @display(description="Tokens in → out")
    def show_tokens(self, line: UsageLine) -> str:
        return f"{line.input_tokens:,} → {line.output_tokens:,}"

    @display(description="Credits", ordering="charged_microcredits")
    def show_credits(self, line: UsageLine) -> str:
        return "unrated" if line.charged_microcredits is None else format_credits(line.charged_microcredits)

    @display(description="Cost (USD)", ordering="cost_nanousd")
    def show_cost(self, line: UsageLine) -> str:
        return _usd(line.cost_nanousd)

    @display(description="Computed by us (USD)")
    def show_computed(self, line: UsageLine) -> str:
        return _usd(line.computed_cost_nanousd)

    @display(description="Reported by the provider (USD)")
    def show_reported(self, line: UsageLine) -> str:
        return _usd(line.reported_cost_nanousd)


def _usd(amount: int | None) -> str:
    return "unpriced" if amount is None else format_usd(amount)
