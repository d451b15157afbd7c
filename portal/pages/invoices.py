"""What was and is to be paid, and where to change the card."""

from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Sum
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from moneyed import Money

from billing.models import OverageItem, StripeCustomer, StripeInvoice, TopUpOrder
from billing.services.payment_methods import payment_method_url
from billing.stripe.client import is_configured
from kernel.errors import Problem
from portal.links import public_url
from portal.pages.guard import portal_page
from portal.pages.request import Told, Visit
from portal.pages.typed import sentence
from portal.words import credits_text, money_text

MOST: Final = 50

_HIDDEN: Final = ("draft", "deleted")
"""What is not an invoice yet, or none any more."""

_STATES: Final = {"open": "To be paid", "paid": "Paid", "void": "Void", "uncollectible": "Not paid"}

_REASONS: Final = {
    "subscription_create": "Subscription",
    "subscription_cycle": "Subscription",
    "subscription_update": "Change of plan",
    "subscription_threshold": "Overage",
    "manual": "Overage",
}


class Row(NamedTuple):
    """An invoice as it is shown."""

    invoice: StripeInvoice
    state: str
    about: str
    total: str
    tone: str


def _invoices(visit: Visit) -> HttpResponse:
    return _page(visit)


def _page(visit: Visit, *, told: Told | None = None, status: int = 200) -> HttpResponse:
    found = list(StripeInvoice.objects.filter(customer=visit.customer).exclude(status__in=_HIDDEN)[:MOST])
    waiting = (
        OverageItem.objects.filter(customer=visit.customer, state__in=("waiting", "sending"))
        .values_list("amount_currency")
        .annotate(sum=Sum("amount"))
        .order_by("amount_currency")
    )
    paid = TopUpOrder.objects.filter(customer=visit.customer, state=TopUpOrder.State.PAID)
    named = {
        str(order.pk): order for order in paid.filter(pk__in=[_order_of(each) for each in found if _order_of(each)])
    }
    card = StripeCustomer.objects.filter(customer=visit.customer).exclude(default_payment_method="").exists()
    context = {
        "title": "Invoices and payment",
        "told": told,
        "rows": [_row(invoice, named.get(_order_of(invoice))) for invoice in found],
        "waiting": [money_text(Money(amount, currency)) for currency, amount in waiting if amount],
        # One that Stripe made an invoice for is in that list already.
        "orders": list(paid.exclude(pk__in=named)[:MOST]),
        "has_card": card,
        "may_pay": is_configured(),
    }
    return visit.page("invoices.html", context, status=status)


def _order_of(invoice: StripeInvoice) -> str:
    """The id of the top-up it is for; "" where it is for none."""
    text = str((invoice.raw.get("metadata") or {}).get("top_up_order") or "")
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        return ""


def _row(invoice: StripeInvoice, order: TopUpOrder | None) -> Row:
    bought = order and f"{credits_text(order.microcredits + order.bonus_microcredits)} credits"
    return Row(
        invoice,
        _STATES.get(invoice.status, invoice.status),
        bought or _REASONS.get(invoice.reason, "Invoice"),
        money_text(invoice.total),
        "caution" if invoice.status == "open" else "",
    )


def _payment_method(visit: Visit) -> HttpResponse:
    """On to Stripe's page, which leads back here."""
    back = public_url(reverse("portal:invoices"), visit.request)
    try:
        url = payment_method_url(visit.customer, return_url=back, now=visit.now)
    except Problem as refusal:
        return _page(visit, told=Told("loss", f"{refusal.title}. {sentence(refusal.detail)}"), status=refusal.status)
    return HttpResponseRedirect(url, status=303)


invoices = portal_page(_invoices)
payment_method = portal_page(_payment_method, methods=("POST",))
