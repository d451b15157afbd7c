from typing import ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from entitlements.admin.lines import Line, LinesAdmin, names_a_customer
from entitlements.core.words import Bucket, EntryKind
from kernel.units import format_credits
from metering.models import UsageEvent


class LedgerLine(Line):
    """A ledger entry, from the view ledger_line."""

    seq = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name.lower()) for kind in EntryKind])
    bucket = models.SmallIntegerField(choices=[(bucket.value, bucket.name.lower()) for bucket in Bucket])
    amount_microcredits = models.BigIntegerField()
    grant_id = models.UUIDField(null=True)
    event_digest = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_line"
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        ordering = ["-seq"]

    def __str__(self) -> str:
        return f"{self.customer} #{self.seq}"


@admin.register(LedgerLine)
class LedgerLineAdmin(LinesAdmin):
    """The ledger, newest first."""

    table: ClassVar[str] = "ledger_entry"
    row_key: ClassVar[str] = "seq"
    list_display = ("customer", "seq", "show_kind", "bucket", "show_credits", "effective_at", "recorded_at")
    list_filter = ("kind", "bucket")
    fields = (
        "customer",
        "seq",
        "kind",
        "bucket",
        "show_credits",
        "show_grant",
        "show_event",
        "effective_at",
        "recorded_at",
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Numbers order one customer's entries only; of several customers, time does."""
        return ("-seq",) if names_a_customer(request) else ("-recorded_at", "-seq")

    @display(
        description="Kind",
        ordering="kind",
        label={"grant": "success", "burn": "info", "expire": "warning", "void": "warning", "debt": "danger"},
    )
    def show_kind(self, line: LedgerLine) -> str:
        return EntryKind(line.kind).name.lower()

    @display(description="Credits", ordering="amount_microcredits")
    def show_credits(self, line: LedgerLine) -> str:
        return f"{'+' if line.amount_microcredits > 0 else ''}{format_credits(line.amount_microcredits)}"

    @display(description="Grant")
    def show_grant(self, line: LedgerLine) -> str:
        if line.grant_id is None:
            return "–"
        url = reverse("admin:entitlements_grantline_change", args=[f"{line.customer_id}-{line.grant_id}"])
        return format_html('<a href="{}">{}</a>', url, line.grant_id)

    @display(description="Usage event")
    def show_event(self, line: LedgerLine) -> str:
        if line.event_digest is None:
            return "–"
        url = reverse("admin:entitlements_usageline_change", args=[f"{line.customer_id}-{line.event_digest}"])
        event = UsageEvent.objects.filter(customer_id=line.customer_id, key_digest=line.event_digest).first()
        return format_html('<a href="{}">{}</a>', url, event.key) if event else "archived"
