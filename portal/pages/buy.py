"""Buying credits: the packs, a custom amount, and what became of an order."""

from typing import Final, NamedTuple
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing.models import TopUpOrder
from billing.services.offers import CustomAmountNotSold, offer_custom
from billing.services.top_ups import TopUpRequest, request_top_up
from billing.stripe.client import is_configured
from entitlements.services.accounts import read_balance
from kernel.errors import InvalidInput, Problem
from kernel.ids import key_digest
from kernel.units import format_credits
from plans.models import TopUpPack
from plans.queries.on_sale import packs_on_sale
from portal.links import public_url
from portal.pages.guard import portal_page
from portal.pages.request import Told, Visit
from portal.pages.typed import credits_typed, sentence
from portal.words import credits_text, money_text

FEW: Final = 10
"""How many of the latest orders are shown."""


class Pack(NamedTuple):
    """A pack as it is offered."""

    key: str
    name: str
    credits: str
    bonus: str
    price: str
    each: str
    lasts: str


def _buy(visit: Visit) -> HttpResponse:
    if visit.request.method == "POST":
        return _order(visit)
    told = Told("plain", "Nothing was bought.") if visit.request.GET.get("left") else None
    return _offers(visit, told=told, typed=visit.request.GET.get("credits", ""))


def _offers(
    visit: Visit, *, told: Told | None = None, typed: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    currency = visit.customer.currency
    packs = [pack for pack in packs_on_sale() if str(pack.price.currency) == currency and pack.price.amount > 0]
    quote, fault = _quote(typed, currency)
    balance = read_balance(visit.customer.key, visit.now)
    context = {
        "title": "Buy credits",
        "told": told,
        "packs": [_pack(pack) for pack in packs],
        "may_pay": is_configured(),
        "key": uuid4(),
        "typed": typed,
        "quote": quote,
        "fault": error or fault,
        "available": credits_text(balance.available),
        "owed": credits_text(balance.debt) if balance.debt else "",
        "orders": list(TopUpOrder.objects.filter(customer=visit.customer).exclude(state="expired")[:FEW]),
    }
    return visit.page("buy.html", context, status=status)


def _pack(pack: TopUpPack) -> Pack:
    total = pack.microcredits + pack.bonus_microcredits
    hundred = pack.price * 100_000_000 / total
    return Pack(
        pack.key,
        pack.name,
        credits_text(pack.microcredits),
        credits_text(pack.bonus_microcredits) if pack.bonus_microcredits else "",
        money_text(pack.price),
        f"{money_text(round(hundred, 2))} per 100 credits",
        f"good for {pack.expires_after_days} days" if pack.expires_after_days else "never expire",
    )


def _quote(typed: str, currency: str) -> tuple[str, str]:
    """What a custom amount costs, or why it is not sold."""
    if not typed:
        return "", ""
    try:
        offer = offer_custom(credits_typed(typed), currency)
    except (InvalidInput, CustomAmountNotSold) as refusal:
        return "", sentence(refusal.detail)
    except ValueError as refusal:
        return "", str(refusal)
    return f"{money_text(offer.amount)}, before tax", ""


def _order(visit: Visit) -> HttpResponse:
    """Write the order down, and on to the page where it is paid."""
    form = visit.request.POST
    typed, pack = form.get("credits", ""), form.get("pack") or None
    try:
        key = UUID(form.get("key", ""))
    except ValueError:
        return _offers(visit, told=Told("caution", "The form was incomplete. Please choose again."), status=422)
    try:
        microcredits = None if pack else credits_typed(typed)
    except ValueError as refusal:
        return _offers(visit, typed=typed, error=str(refusal), status=422)
    request = TopUpRequest(
        key=order_key(key),
        pack=pack,
        microcredits=microcredits,
        success_url=public_url(reverse("portal:order", args=[key]), visit.request),
        cancel_url=public_url(f"{reverse('portal:buy')}?left=1", visit.request),
    )
    try:
        order, _ = request_top_up(visit.customer.key, request, visit.now)
    except Problem as refusal:
        told = Told("loss", f"{refusal.title}. {sentence(refusal.detail)}")
        return _offers(visit, told=told, typed=typed, status=refusal.status)
    if order.closed_at is None and order.url:
        return HttpResponseRedirect(order.url, status=303)
    return HttpResponseRedirect(reverse("portal:order", args=[key]), status=303)


def _see_order(visit: Visit, key: UUID) -> HttpResponse:
    """What became of an order. While it waits for its payment, the page asks again by itself."""
    digest = key_digest(f"top-up:{order_key(key)}")
    order = TopUpOrder.objects.filter(customer=visit.customer, key_digest=digest).first()
    if order is None:
        raise Http404
    if visit.asks_again and order.state == TopUpOrder.State.OPEN:
        return HttpResponse(status=204)  # nothing new: nothing is replaced, and nothing read out again
    balance = read_balance(visit.customer.key, visit.now)
    context = {
        "title": "Your order",
        "order": order,
        "credits": credits_text(order.microcredits + order.bonus_microcredits),
        "amount": money_text(order.amount),
        "available": credits_text(balance.available),
        "exact": format_credits(balance.available),
    }
    return visit.page("order.html", context)


def order_key(key: UUID) -> str:
    """The idempotency key of an order made here: sending a form twice buys once."""
    return f"portal:{key}"


buy = portal_page(_buy, methods=("GET", "HEAD", "POST"))
see_order = portal_page(_see_order)
