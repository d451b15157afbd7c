"""/v1/customers/{key}/invoices and /overage: what a customer was asked to pay for."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, MoneyField
from access.views import ListView
from billing.models import OverageItem, StripeInvoice
from entitlements.api.base import CustomerView

_ADDRESS = {"type": ["string", "null"], "format": "uri"}


class InvoiceSerializer(serializers.Serializer[StripeInvoice]):
    """An invoice of Stripe's."""

    id = serializers.CharField()
    number = serializers.CharField(help_text="Empty until it is final.")
    status = serializers.CharField(help_text="Stripe's: draft, open, paid, void, uncollectible; or deleted.")
    reason = serializers.CharField(help_text="subscription_create, subscription_cycle, subscription_update, manual …")
    total = MoneyField(help_text="With tax. Negative: credit for later invoices.")
    due = MoneyField(help_text="What is to be paid, after credit.")
    paid = MoneyField()
    tax = MoneyField()
    url = serializers.SerializerMethodField()
    pdf = serializers.SerializerMethodField()
    period_start = InstantField()
    period_end = InstantField()
    created_at = InstantField()
    finalized_at = InstantField(allow_null=True)
    paid_at = InstantField(allow_null=True)

    @extend_schema_field(_ADDRESS)
    def get_url(self, invoice: StripeInvoice) -> str | None:
        """Stripe's page of it, where it can be paid."""
        return invoice.hosted_url or None

    @extend_schema_field(_ADDRESS)
    def get_pdf(self, invoice: StripeInvoice) -> str | None:
        return invoice.pdf or None


class OverageItemSerializer(serializers.Serializer[OverageItem]):
    """Overage that became money owed."""

    entry = serializers.IntegerField(source="seq", help_text="The ledger entry that billed it.")
    credits = CreditsField(source="microcredits")
    credit_price = serializers.SerializerMethodField()
    amount = MoneyField(help_text="What is charged; what rounding leaves is carried to the next.")
    state = serializers.ChoiceField(choices=OverageItem.State.values)
    billed_at = InstantField()
    invoice = serializers.SerializerMethodField()

    @extend_schema_field(
        {
            "type": ["object", "null"],
            "required": ["amount", "currency"],
            "properties": {"amount": {"type": "string", "example": "0.012"}, "currency": {"type": "string"}},
        }
    )
    def get_credit_price(self, item: OverageItem) -> dict[str, Any] | None:
        """Of one credit; finer than the currency's smallest coin."""
        price = item.price
        return None if price is None else {"amount": f"{price.amount.normalize():f}", "currency": str(price.currency)}

    @extend_schema_field({"type": ["string", "null"]})
    def get_invoice(self, item: OverageItem) -> str | None:
        return item.invoice_id or None


class InvoicesView(CustomerView, ListView):
    tags = ["money in"]
    required_scopes = {"GET": "read"}
    serializer_class = InvoiceSerializer
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> "QuerySet[StripeInvoice]":
        return StripeInvoice.objects.filter(customer=self.customer())

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The customer's invoices, newest first: subscriptions, top-ups and overage."""
        return super().get(request, *args, **kwargs)


class OverageView(CustomerView, ListView):
    tags = ["money in"]
    required_scopes = {"GET": "read"}
    serializer_class = OverageItemSerializer
    ordering = ("-billed_at", "-id")

    def get_queryset(self) -> "QuerySet[OverageItem]":
        return OverageItem.objects.filter(customer=self.customer())

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Overage that became money owed, newest first, and which invoice it stands on."""
        return super().get(request, *args, **kwargs)
