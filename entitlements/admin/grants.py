from typing import ClassVar

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from entitlements.admin.lines import Line, LinesAdmin
from entitlements.models import CreditGrant
from entitlements.queries.grants import state_of
from entitlements.services.grants import void_grant
from kernel.clock import utc_now
from kernel.units import format_credits
from plans.admin.outcome import attempt, dialog, go


class GrantLine(Line):
    """A credit grant, from the view grant_line."""

    grant_id = models.UUIDField()
    key = models.TextField()
    source = models.CharField(max_length=10, choices=CreditGrant.Source.choices)
    priority = models.SmallIntegerField()
    amount_microcredits = models.BigIntegerField()
    remaining_microcredits = models.BigIntegerField()
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    paid = models.DecimalField(max_digits=14, decimal_places=3)
    paid_currency = models.CharField(max_length=3)
    reason = models.TextField()
    actor = models.TextField()

    class Meta:
        managed = False
        db_table = "grant_line"
        verbose_name = "credit grant"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_source_display()} of {format_credits(self.amount_microcredits)} credits"


class VoidForm(BaseDialogForm):
    reason = forms.CharField(max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


@admin.register(GrantLine)
class GrantLineAdmin(LinesAdmin):
    """Grants, newest first; what is left of one can be taken back."""

    table: ClassVar[str] = "credit_grant"
    row_key: ClassVar[str] = "grant_id"
    list_display = (
        "customer",
        "show_source",
        "show_state",
        "show_credits",
        "show_remaining",
        "priority",
        "effective_at",
        "expires_at",
        "show_paid",
    )
    list_filter = ("source",)
    fields = (
        "customer",
        "key",
        "source",
        "show_state",
        "show_credits",
        "show_remaining",
        "priority",
        "show_paid",
        "effective_at",
        "expires_at",
        "created_at",
        "reason",
        "actor",
    )
    actions_detail = ("take_back",)

    @display(description="Source", ordering="source")
    def show_source(self, line: GrantLine) -> str:
        return line.get_source_display()

    @display(
        description="State", label={"active": "success", "pending": "info", "voided": "danger", "closed": "default"}
    )
    def show_state(self, line: GrantLine) -> str:
        return state_of(line)

    @display(description="Credits", ordering="amount_microcredits")
    def show_credits(self, line: GrantLine) -> str:
        return format_credits(line.amount_microcredits)

    @display(description="Left", ordering="remaining_microcredits")
    def show_remaining(self, line: GrantLine) -> str:
        return format_credits(line.remaining_microcredits)

    @display(description="Paid")
    def show_paid(self, line: GrantLine) -> str:
        return f"{line.paid.normalize():f} {line.paid_currency}" if line.paid else "–"

    def has_void_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perm("entitlements.change_creditgrant"))

    @action(description="Take back the rest", url_path="take-back", icon="undo", permissions=["void"], dialog=dialog(
        "Take back what is left of this grant",
        "What it has paid for stays paid. This cannot be undone; give a new grant instead.",
        "Take back",
        form=VoidForm,
    ))  # fmt: skip
    def take_back(self, request: HttpRequest, form: VoidForm, object_id: str) -> HttpResponse:
        line = self.found(request, object_id)
        attempt(
            request,
            lambda: void_grant(
                line.customer.key,
                line.grant_id,
                actor=str(request.user),
                reason=form.cleaned_data["reason"],
                now=utc_now(),
            ),
            f"{format_credits(line.remaining_microcredits)} credits were taken back.",
        )
        return go(request, reverse("admin:entitlements_grantline_change", args=[object_id]))
