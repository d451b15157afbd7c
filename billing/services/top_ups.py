"""Top-ups: an order first, then a page at Stripe to pay it on. Credits come when the payment does (payments.py)."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction

from billing.convergence.locks import one_at_a_time
from billing.models import TopUpOrder
from billing.services.customers import converge_customer, stripe_customer_of
from billing.services.offers import Offer, offer_custom, offer_packs, pack_on_sale
from billing.stripe.amounts import to_minor
from billing.stripe.checkout import SessionSeen, open_session
from billing.stripe.errors import Gone, Invalid, PaymentsUnavailable, StripeUnavailable
from entitlements.models import Customer
from entitlements.services.problems import CustomerUnknown
from kernel.errors import Conflict, InvalidInput, KeyReused
from kernel.ids import body_digest, key_digest, new_id

SESSION_LIFE: Final = timedelta(hours=24)
"""How long Stripe keeps a page open, and remembers an idempotency key."""


class TopUpRefused(Conflict):
    code = "top_up_refused"
    title = "Stripe refuses this top-up"


class TopUpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A top-up somebody wants to buy: a pack, or so many microcredits. `key` is the caller's idempotency key."""

    key: str
    pack: str | None = None
    microcredits: int | None = None
    success_url: str
    cancel_url: str = ""


def request_top_up(customer_key: str, request: TopUpRequest, now: datetime) -> tuple[TopUpOrder, bool]:
    """The order and its page to pay on; once per key. Returns the order and whether this call made it.

    Where it broke off before, it goes on. Raises CustomerUnknown, KeyReused, PackUnknown, CustomAmountNotSold,
    InvalidInput, TopUpRefused, PaymentsUnavailable.
    """
    order, created = place_order(customer_key, request, now)
    try:
        return open_checkout(order, now), created
    except StripeUnavailable as problem:
        raise PaymentsUnavailable(str(problem)) from problem


def place_order(customer_key: str, request: TopUpRequest, now: datetime) -> tuple[TopUpOrder, bool]:
    """Write down what is wanted at what price, before Stripe hears of it. The same key finds the same order."""
    customer = Customer.objects.filter(key=customer_key).first()
    if customer is None:
        raise CustomerUnknown(f"no customer has the key {customer_key!r}")
    digest, body = key_digest(f"top-up:{request.key}"), _body(request)
    known = TopUpOrder.objects.filter(customer=customer, key_digest=digest).first()
    if known is None:
        offer = _offer(request, customer.currency)
        order = new_order(
            customer,
            offer,
            key=request.key,
            key_digest=digest,
            body_digest=body,
            origin=TopUpOrder.Origin.CHECKOUT,
            success_url=request.success_url,
            cancel_url=request.cancel_url,
            created_at=now,
        )
        # Whoever came first with the key has made the order; both callers get that one.
        TopUpOrder.objects.bulk_create([order], ignore_conflicts=True)
        known = TopUpOrder.objects.get(customer=customer, key_digest=digest)
        if known.pk == order.pk:
            return known, True
    if known.body_digest != body:
        raise KeyReused(f"top-up key {request.key!r} was used before with another body", field="key")
    return known, False


def new_order(customer: Customer, offer: Offer, **parts: Any) -> TopUpOrder:
    """An order of an offer, not yet written."""
    amount: Any = offer.amount
    return TopUpOrder(
        id=new_id(),
        customer=customer,
        pack=offer.pack,
        packs=offer.packs,
        microcredits=offer.microcredits,
        bonus_microcredits=offer.bonus_microcredits,
        amount=amount,
        expires_after_days=offer.expires_after_days,
        asked={"name": offer.name},
        **parts,
    )


def open_checkout(order: TopUpOrder, now: datetime) -> TopUpOrder:
    """Make sure that an order in flight has its page at Stripe. Raises TopUpRefused, StripeUnavailable."""
    with one_at_a_time(f"order:{order.pk}"):
        order.refresh_from_db()
        if order.state == TopUpOrder.State.FAILED:
            raise TopUpRefused(order.failure)
        if order.checkout_session_id or order.closed_at is not None:
            return order
        try:
            return _open_checkout(order, now)
        except Gone:
            # Stripe does not know the customer any more: learn that, and ask again for another one.
            converge_customer(order.stripe_customer, now)
            return _open_checkout(order, now)
        except Invalid as problem:
            close_order(order, TopUpOrder.State.FAILED, now=now, code=problem.code, failure=str(problem))
            raise TopUpRefused(str(problem), field=_field(problem)) from problem


def _open_checkout(order: TopUpOrder, now: datetime) -> TopUpOrder:
    who = stripe_customer_of(order.customer, now)
    prepare_checkout(order, str(who.stripe_id))
    seen = open_session(order.asked["session"], key=question_key(order))
    keep_session(order, seen)
    return order


def prepare_checkout(order: TopUpOrder, stripe_customer: str) -> None:
    """Write down what Stripe will be asked, and under which key: a retry asks exactly the same."""
    if "session" in order.asked and order.stripe_customer == stripe_customer:
        return
    order.stripe_customer = stripe_customer
    order.attempts += 1
    order.asked = order.asked | {"session": session_of(order)}
    order.save(update_fields=["stripe_customer", "attempts", "asked"])


def keep_session(order: TopUpOrder, seen: SessionSeen) -> None:
    """Remember the page."""
    order.checkout_session_id, order.url = seen.id, seen.url
    order.save(update_fields=["checkout_session_id", "url"])


def session_of(order: TopUpOrder) -> dict[str, Any]:
    """What Stripe is asked for: a page for this order alone, which keeps the card for auto top-ups."""
    ours = {"top_up_order": str(order.pk)}
    minor = to_minor(order.amount)
    price = {
        "currency": str(order.amount.currency).lower(),
        "unit_amount": minor // order.packs,
        "product_data": {"name": order.asked["name"]},
    }
    asked: dict[str, Any] = {
        "mode": "payment",
        "customer": order.stripe_customer,
        "client_reference_id": str(order.pk),
        "success_url": order.success_url,
        "line_items": [{"price_data": price, "quantity": order.packs}],
        "payment_intent_data": {"setup_future_usage": "off_session", "metadata": ours},
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": ours}},
        "metadata": ours,
    }
    if order.cancel_url:
        asked["cancel_url"] = order.cancel_url
    if settings.STRIPE_AUTOMATIC_TAX:
        # Tax goes by the address, which the page then asks for and keeps with the customer.
        asked |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    return asked


def question_key(order: TopUpOrder) -> str:
    """The idempotency key of the order's current question to Stripe."""
    return f"topup:{order.pk}" if order.attempts <= 1 else f"topup:{order.pk}:{order.attempts}"


def close_order(order: TopUpOrder, state: str, *, now: datetime, code: str = "", failure: str = "") -> None:
    """It has come to nothing. An order that has been paid meanwhile stays paid."""
    with transaction.atomic():
        current = TopUpOrder.objects.select_for_update().get(pk=order.pk)
        if current.closed_at is None:
            current.state, current.closed_at, current.next_try_at = state, now, None
            current.failure_code, current.failure = code, failure[:1000]
            current.save(update_fields=["state", "closed_at", "next_try_at", "failure_code", "failure"])
    order.refresh_from_db()


def _offer(request: TopUpRequest, currency: str) -> Offer:
    if (request.pack is None) == (request.microcredits is None):
        raise InvalidInput("say either which pack or how many credits", field="pack")
    if request.pack is not None:
        return offer_packs(pack_on_sale(request.pack, currency))
    return offer_custom(request.microcredits or 0, currency)


def _body(request: TopUpRequest) -> Any:
    return body_digest([request.pack, request.microcredits, request.success_url, request.cancel_url])


def _field(problem: Invalid) -> str | None:
    """Which member of ours Stripe's complaint is about."""
    param = problem.raw.get("param") or ""
    return param if param in {"success_url", "cancel_url"} else None
