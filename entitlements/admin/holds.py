from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from unfold.decorators import display

from entitlements.admin.lines import Line, LinesAdmin
from entitlements.admin.links import credits_of, line_link
from entitlements.models import Decision, Hold, Run
from kernel.clock import utc_now
from plans.models import Feature


class HoldLine(Line):
    """A hold or lease, from the view hold_line."""

    hold_id = models.UUIDField()
    key = models.TextField()
    status = models.SmallIntegerField(choices=Hold.Status.choices)
    held_microcredits = models.BigIntegerField()
    settled_microcredits = models.BigIntegerField()
    feature = models.ForeignKey(Feature, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    model = models.TextField()
    user_key = models.TextField(verbose_name="user")
    run_id = models.UUIDField(null=True)
    claims = models.JSONField()
    is_lease = models.BooleanField(verbose_name="lease")
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "hold_line"
        verbose_name = "hold"
        ordering = ["-placed_at"]

    def __str__(self) -> str:
        return self.key


@admin.register(HoldLine)
class HoldLineAdmin(LinesAdmin):
    """Holds and leases, newest first."""

    table: ClassVar[str] = "hold"
    row_key: ClassVar[str] = "hold_id"
    list_select_related = ("customer", "feature")
    list_display = (
        "customer",
        "key",
        "show_status",
        "show_held",
        "show_settled",
        "feature",
        "model",
        "user_key",
        "placed_at",
        "expires_at",
    )
    list_filter = ("status", "is_lease", "feature")
    fields = (
        "customer",
        "key",
        ("show_status", "is_lease"),
        ("show_held", "show_settled"),
        ("feature", "model", "user_key"),
        ("show_run", "show_decision"),
        "show_claims",
        ("placed_at", "expires_at"),
        "closed_at",
    )

    @display(
        description="Status",
        ordering="status",
        label={"open": "info", "settled": "success", "voided": "default", "expired": "warning"},
    )
    def show_status(self, line: HoldLine) -> str:
        """An open hold past its deadline holds nothing any more, although nobody has written it yet."""
        ended = line.status == Hold.Status.OPEN and line.expires_at <= utc_now()
        return str(Hold.Status.EXPIRED.label if ended else line.get_status_display())

    @display(description="Held", ordering="held_microcredits")
    def show_held(self, line: HoldLine) -> str:
        return credits_of(line.held_microcredits)

    @display(description="Settled", ordering="settled_microcredits")
    def show_settled(self, line: HoldLine) -> str:
        return credits_of(line.settled_microcredits)

    @display(description="Claims on limits")
    def show_claims(self, line: HoldLine) -> str:
        """In the smallest of each limit's unit: calls, tokens, microcredits or nano-USD."""
        return ", ".join(f"{limit}: {amount:,} ({scope or 'customer'})" for scope, limit, amount in line.claims) or "–"

    @display(description="Run")
    def show_run(self, line: HoldLine) -> Any:
        run = line.run_id and Run.objects.filter(customer_id=line.customer_id, id=line.run_id).first()
        return line_link("runline", line.customer_id, run.id, run.key) if run else "–"

    @display(description="Decision")
    def show_decision(self, line: HoldLine) -> Any:
        decision = Decision.objects.filter(customer_id=line.customer_id, id=line.hold_id).first()
        return line_link("decisionline", line.customer_id, decision.id, decision.reason) if decision else "–"
