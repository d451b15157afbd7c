from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from billing.models import OverageItem, StripeInvoice
from entitlements.admin.lines import ReadOnlyAdmin
from entitlements.admin.links import as_json, at, line_link
from kernel.units import format_credits
from plans.money import exact_money


@admin.register(StripeInvoice)
class StripeInvoiceAdmin(ReadOnlyAdmin):
    """Invoices as Stripe last showed them."""

    list_display = ("__str__", "customer", "show_status", "reason", "show_total", "show_due", "created_at", "show_link")
    list_filter = ("status", "reason")
    list_select_related = ("customer",)
    search_fields = ("=id", "=number", "=customer__key", "=subscription_id")
    search_help_text = "A customer's key, an invoice's number, or an id of Stripe's."
    fields = (
        "id", "number", "customer", "show_status", "reason", "subscription_id", "show_total", "show_tax", "show_due",
        "show_paid", "show_period", "show_created_at", "show_finalized_at", "show_paid_at", "show_link",
        "show_fetched_at", "show_raw",
    )  # fmt: skip
    ordering = ("-created_at", "-id")

    @display(
        description="Status",
        label={"paid": "success", "open": "warning", "draft": "info", "uncollectible": "danger", "void": "default"},
        ordering="status",
    )
    def show_status(self, invoice: StripeInvoice) -> str:
        return invoice.status

    @display(description="Total")
    def show_total(self, invoice: StripeInvoice) -> str:
        return exact_money(invoice.total)

    @display(description="Tax")
    def show_tax(self, invoice: StripeInvoice) -> str:
        return exact_money(invoice.tax)

    @display(description="Due")
    def show_due(self, invoice: StripeInvoice) -> str:
        return exact_money(invoice.due)

    @display(description="Paid")
    def show_paid(self, invoice: StripeInvoice) -> str:
        return exact_money(invoice.paid)

    @display(description="Period")
    def show_period(self, invoice: StripeInvoice) -> str:
        return f"{at(invoice.period_start)} to {at(invoice.period_end)}"

    @display(description="Made")
    def show_created_at(self, invoice: StripeInvoice) -> str:
        return at(invoice.created_at)

    @display(description="Final")
    def show_finalized_at(self, invoice: StripeInvoice) -> str:
        return at(invoice.finalized_at)

    @display(description="Paid at")
    def show_paid_at(self, invoice: StripeInvoice) -> str:
        return at(invoice.paid_at)

    @display(description="Fetched")
    def show_fetched_at(self, invoice: StripeInvoice) -> str:
        return at(invoice.fetched_at)

    @display(description="At Stripe")
    def show_link(self, invoice: StripeInvoice) -> str:
        if not invoice.hosted_url:
            return "–"
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}" rel="noreferrer">open</a>', invoice.hosted_url
        )

    @display(description="Object")
    def show_raw(self, invoice: StripeInvoice) -> str:
        return as_json(invoice.raw)


@admin.register(OverageItem)
class OverageItemAdmin(ReadOnlyAdmin):
    """Overage that became money owed, and where it stands."""

    list_display = ("customer", "show_entry", "show_credits", "show_price", "show_amount", "show_state", "billed_at")
    list_filter = ("state",)
    list_select_related = ("customer",)
    search_fields = ("=customer__key", "=invoice_id", "=item_id")
    search_help_text = "A customer's key, or an id of Stripe's."
    fields = (
        "customer", "show_entry", "plan_version", "show_credits", "show_price", "exact", "carried", "show_amount",
        "show_state", "billed_at", "onto", "invoice_id", "item_id", "error", "created_at", "invoiced_at",
    )  # fmt: skip
    ordering = ("-billed_at", "-id")

    @display(description="Ledger entry", ordering="seq")
    def show_entry(self, item: OverageItem) -> str:
        return line_link("ledgerline", item.customer_id, item.seq, str(item.seq))

    @display(description="Credits", ordering="microcredits")
    def show_credits(self, item: OverageItem) -> str:
        return format_credits(item.microcredits)

    @display(description="Per credit")
    def show_price(self, item: OverageItem) -> str:
        return "–" if item.price is None else exact_money(item.price)

    @display(description="Charged")
    def show_amount(self, item: OverageItem) -> str:
        return exact_money(item.amount)

    @display(
        description="State",
        label={
            "Waiting for an invoice": "info", "Being put on an invoice": "warning", "Invoiced": "success",
            "Too little: carried on": "default", "No price": "danger",
        },
        ordering="state",
    )  # fmt: skip
    def show_state(self, item: OverageItem) -> str:
        return item.get_state_display()
