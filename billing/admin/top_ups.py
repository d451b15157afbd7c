from django.contrib import admin
from django.utils.html import format_html_join
from unfold.decorators import display

from billing.admin.links import money, row_link, web_link
from billing.models import AutoTopUp, Payment, Reversal, TopUpOrder
from entitlements.admin.lines import ReadOnlyAdmin
from entitlements.admin.links import as_json, at, line_link
from kernel.units import format_credits

_COLOURS = {"open": "info", "needs_action": "warning", "paid": "success", "failed": "danger", "expired": "default"}


@admin.register(TopUpOrder)
class TopUpOrderAdmin(ReadOnlyAdmin):
    """Credits somebody wanted to pay for, newest first, and what came of it."""

    list_display = ("__str__", "customer", "show_state", "origin", "show_credits", "show_amount", "created_at")
    list_filter = ("state", "origin")
    list_select_related = ("customer", "pack")
    search_fields = ("=customer__key", "=key", "=payment_intent_id", "=checkout_session_id")
    search_help_text = "A customer's key, an order's key, or an id of Stripe's."
    fields = (
        "id", "key", "customer", "show_state", "origin", "pack", "packs", "show_credits", "show_bonus", "show_amount",
        "show_paid", "show_tax", "show_grants", "show_payments", "show_failure", "attempts", "show_next_try",
        "show_page", "show_invoice", "show_receipt", "show_created", "show_paid_at", "show_closed", "show_asked",
    )  # fmt: skip
    ordering = ("-created_at", "-id")

    @display(description="State", label=_COLOURS, ordering="state")
    def show_state(self, order: TopUpOrder) -> str:
        return order.state

    @display(description="Credits", ordering="microcredits")
    def show_credits(self, order: TopUpOrder) -> str:
        return format_credits(order.microcredits)

    @display(description="Bonus")
    def show_bonus(self, order: TopUpOrder) -> str:
        return format_credits(order.bonus_microcredits)

    @display(description="Price")
    def show_amount(self, order: TopUpOrder) -> str:
        return money(order.amount)

    @display(description="Paid, without tax")
    def show_paid(self, order: TopUpOrder) -> str:
        return money(order.paid)

    @display(description="Tax")
    def show_tax(self, order: TopUpOrder) -> str:
        return money(order.tax)

    @display(description="Granted")
    def show_grants(self, order: TopUpOrder) -> str:
        named = (("the credits", order.grant_id), ("the bonus", order.bonus_grant_id))
        links = [(line_link("grantline", order.customer_id, grant, text),) for text, grant in named if grant]
        return format_html_join(", ", "{}", links) or "–"

    @display(description="Payments")
    def show_payments(self, order: TopUpOrder) -> str:
        return format_html_join(", ", "{}", [(row_link(payment),) for payment in order.payments.all()]) or "–"

    @display(description="What went wrong")
    def show_failure(self, order: TopUpOrder) -> str:
        return f"{order.failure_code}: {order.failure}" if order.failure_code else "–"

    @display(description="Next try")
    def show_next_try(self, order: TopUpOrder) -> str:
        return at(order.next_try_at)

    @display(description="Page to pay on")
    def show_page(self, order: TopUpOrder) -> str:
        return web_link(order.url if order.closed_at is None else "")

    @display(description="Invoice")
    def show_invoice(self, order: TopUpOrder) -> str:
        return web_link(order.invoice_url)

    @display(description="Receipt")
    def show_receipt(self, order: TopUpOrder) -> str:
        return web_link(order.receipt_url)

    @display(description="Ordered")
    def show_created(self, order: TopUpOrder) -> str:
        return at(order.created_at)

    @display(description="Paid at")
    def show_paid_at(self, order: TopUpOrder) -> str:
        return at(order.paid_at)

    @display(description="Closed")
    def show_closed(self, order: TopUpOrder) -> str:
        return at(order.closed_at)

    @display(description="What Stripe was asked")
    def show_asked(self, order: TopUpOrder) -> str:
        return as_json(order.asked)


@admin.register(AutoTopUp)
class AutoTopUpAdmin(ReadOnlyAdmin):
    """Standing orders: when a customer's balance is topped up by itself, and why it is not."""

    list_display = ("customer", "show_state", "show_threshold", "show_buys", "show_cap", "failures", "next_try_at")
    list_filter = ("enabled", "paused_reason")
    list_select_related = ("customer", "pack")
    search_fields = ("=customer__key",)
    search_help_text = "A customer's key."
    fields = (
        "customer", "show_state", "show_threshold", "show_buys", "show_cap", "failures", "show_next_try",
        "show_changed", "show_created",
    )  # fmt: skip

    @display(description="State", label={"on": "success", "off": "default", "resting": "warning"})
    def show_state(self, row: AutoTopUp) -> tuple[str, str]:
        if not row.enabled:
            return "off", "off"
        return ("resting", row.get_paused_reason_display()) if row.paused_reason else ("on", "on")

    @display(description="Below", ordering="threshold_microcredits")
    def show_threshold(self, row: AutoTopUp) -> str:
        return f"{format_credits(row.threshold_microcredits)} credits"

    @display(description="Buys")
    def show_buys(self, row: AutoTopUp) -> str:
        return str(row.pack) if row.pack else f"{format_credits(row.microcredits or 0)} credits"

    @display(description="A month at most")
    def show_cap(self, row: AutoTopUp) -> str:
        return money(row.monthly_cap)

    @display(description="Not before")
    def show_next_try(self, row: AutoTopUp) -> str:
        return at(row.next_try_at)

    @display(description="Set")
    def show_changed(self, row: AutoTopUp) -> str:
        return at(row.changed_at)

    @display(description="First set")
    def show_created(self, row: AutoTopUp) -> str:
        return at(row.created_at)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Payments of top-ups as Stripe last showed them."""

    list_display = ("id", "customer", "status", "show_received", "show_refunded", "show_disputed", "fetched_at")
    list_filter = ("status",)
    list_select_related = ("customer", "order")
    search_fields = ("=id", "=customer__key")
    search_help_text = "A customer's key, or a payment's id at Stripe."
    fields = (
        "id", "customer", "show_order", "status", "show_received", "show_net", "show_refunded", "show_disputed",
        "show_fee", "show_reversals", "show_fetched", "show_raw",
    )  # fmt: skip

    @display(description="Order")
    def show_order(self, payment: Payment) -> str:
        return row_link(payment.order)

    @display(description="Paid, with tax")
    def show_received(self, payment: Payment) -> str:
        return money(payment.received)

    @display(description="Without tax")
    def show_net(self, payment: Payment) -> str:
        return money(payment.net)

    @display(description="Refunded")
    def show_refunded(self, payment: Payment) -> str:
        return money(payment.refunded)

    @display(description="Disputed")
    def show_disputed(self, payment: Payment) -> str:
        return money(payment.disputed)

    @display(description="Stripe's fee")
    def show_fee(self, payment: Payment) -> str:
        return money(payment.fee)

    @display(description="Reversals")
    def show_reversals(self, payment: Payment) -> str:
        return format_html_join(", ", "{}", [(row_link(row),) for row in payment.reversals.all()]) or "–"

    @display(description="Fetched")
    def show_fetched(self, payment: Payment) -> str:
        return at(payment.fetched_at)

    @display(description="Object")
    def show_raw(self, payment: Payment) -> str:
        return as_json(payment.raw)


@admin.register(Reversal)
class ReversalAdmin(ReadOnlyAdmin):
    """What refunds and disputes took from grants, and gave back."""

    list_display = ("__str__", "customer", "kind", "show_amount", "show_unburned", "show_burned", "occurred_at")
    list_filter = ("kind",)
    list_select_related = ("customer", "payment")
    search_fields = ("=customer__key", "=source_id", "=payment__id")
    search_help_text = "A customer's key, or an id of Stripe's."
    fields = (
        "source_id", "kind", "customer", "show_payment", "show_grant", "show_amount", "show_unburned", "show_burned",
        "show_occurred", "show_recorded",
    )  # fmt: skip

    @display(description="Payment")
    def show_payment(self, row: Reversal) -> str:
        return row_link(row.payment)

    @display(description="Grant")
    def show_grant(self, row: Reversal) -> str:
        return line_link("grantline", row.customer_id, row.grant_id, "the credits")

    @display(description="Money, without tax")
    def show_amount(self, row: Reversal) -> str:
        return money(row.amount)

    @display(description="Unburned credits")
    def show_unburned(self, row: Reversal) -> str:
        return format_credits(row.unburned_microcredits)

    @display(description="Burned credits")
    def show_burned(self, row: Reversal) -> str:
        return format_credits(row.burned_microcredits)

    @display(description="Happened")
    def show_occurred(self, row: Reversal) -> str:
        return at(row.occurred_at)

    @display(description="Recorded")
    def show_recorded(self, row: Reversal) -> str:
        return at(row.recorded_at)
