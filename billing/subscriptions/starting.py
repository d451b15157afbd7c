"""Beginning a subscription: on a page of Stripe's, or with the card on file. The order row comes first."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from django.conf import settings
from django.db import transaction

from billing.convergence.locks import one_at_a_time
from billing.models import SubscriptionOrder
from billing.prices.applying import price_of
from billing.services.customers import stripe_customer_of
from billing.stripe import subscriptions
from billing.stripe.errors import Declined, Gone, Invalid, NeedsAction, PaymentsUnavailable, StripeUnavailable
from billing.subscriptions.mirror import converge_subscription, live
from billing.subscriptions.problems import AlreadySubscribed, NoCardOnFile, PlanCurrency, SubscriptionNotPaid
from entitlements.models import Customer
from entitlements.services.problems import CustomerUnknown
from entitlements.services.subscriptions import PlanNotPublished
from kernel.errors import KeyReused
from kernel.ids import body_digest, key_digest
from plans.models import PlanVersion

T = TypeVar("T")

KEY_IS_FORGOTTEN: Final = timedelta(hours=20)
"""Stripe remembers an idempotency key for 24 hours; past this we look before we ask again."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to begin. `key` is the caller's idempotency key."""

    key: str
    plan_version: PlanVersion
    trial_days: int = 0
    success_url: str = ""
    cancel_url: str = ""


def start_checkout(customer_key: str, wanted: Wanted, now: datetime) -> tuple[SubscriptionOrder, bool]:
    """A page where the customer subscribes; the same page for the same key. Returns the order and whether it is new.

    An earlier page that nobody has paid on is closed: one purchase at a time, so one subscription. Raises
    CustomerUnknown, AlreadySubscribed, KeyReused, PlanNotPublished, PlanNotAtStripe, PlanCurrency, PaymentsUnavailable.
    """
    customer = _found(customer_key)
    with one_at_a_time(f"subscribe:{customer.pk}"):
        order, new = _order(customer, wanted, SubscriptionOrder.Origin.CHECKOUT, now)
        if order.state == SubscriptionOrder.State.OPEN and not order.checkout_session_id:
            session, url = _or_unavailable(lambda: subscriptions.checkout(order.asked, key=f"subscribe:{order.pk}"))
            order.checkout_session_id, order.url = session, url
            order.save(update_fields=["checkout_session_id", "url"])
    return order, new


def start_with_card(customer_key: str, wanted: Wanted, now: datetime) -> tuple[SubscriptionOrder, bool]:
    """Subscribe at once with the card on file: paid, or nothing. Returns the order and whether it is new.

    Raises as `start_checkout`, and NoCardOnFile, SubscriptionNotPaid.
    """
    customer = _found(customer_key)
    with one_at_a_time(f"subscribe:{customer.pk}"):
        order, new = _order(customer, wanted, SubscriptionOrder.Origin.CARD, now)
        if order.state == SubscriptionOrder.State.OPEN:
            _begin(order, now)
            order.refresh_from_db()
    if order.state == SubscriptionOrder.State.FAILED:
        raise SubscriptionNotPaid(order.failure, decline_code=order.failure_code)
    return order, new


def converge_session(session_id: str, now: datetime) -> None:
    """Follow a checkout of ours to the subscription it has become. Of no other's."""
    order = SubscriptionOrder.objects.filter(checkout_session_id=session_id).first()
    if order is None or order.state != SubscriptionOrder.State.OPEN:
        return
    try:
        seen = subscriptions.session(session_id)
    except Gone:
        _close(order, SubscriptionOrder.State.EXPIRED, now)
        return
    if seen.subscription is not None:
        _converge(seen.subscription, now)
    elif seen.status == "expired":
        _close(order, SubscriptionOrder.State.EXPIRED, now)


def _found(customer_key: str) -> Customer:
    customer = Customer.objects.filter(key=customer_key).first()
    if customer is None:
        raise CustomerUnknown(f"no customer has the key {customer_key!r}")
    return customer


def _order(
    customer: Customer, wanted: Wanted, origin: SubscriptionOrder.Origin, now: datetime
) -> tuple[SubscriptionOrder, bool]:
    """The order of that key, or a new one, after any other has been brought to its end."""
    version = wanted.plan_version
    body = body_digest([origin.value, version.pk, wanted.trial_days, wanted.success_url, wanted.cancel_url])
    known = SubscriptionOrder.objects.filter(customer=customer, key_digest=key_digest(wanted.key)).first()
    if known is not None:
        if known.body_digest != body:
            raise KeyReused(f"key {wanted.key!r} was used before with another body", field="key")
        return known, False
    _check(customer, version)
    asked = _asked(customer, wanted, origin, now)
    for other in SubscriptionOrder.objects.filter(customer=customer, state=SubscriptionOrder.State.OPEN):
        _give_up(other, now)
    if live(customer) is not None:
        raise AlreadySubscribed(f"{customer.key} has a subscription at Stripe already: change its plan instead")
    with transaction.atomic():
        order = SubscriptionOrder(
            customer=customer,
            key=wanted.key,
            key_digest=key_digest(wanted.key),
            body_digest=body,
            origin=origin,
            plan_version=version,
            trial_days=wanted.trial_days,
            success_url=wanted.success_url,
            cancel_url=wanted.cancel_url,
            created_at=now,
        )
        order.asked = _signed(asked, order, origin)
        order.save()
    return order, True


def _check(customer: Customer, version: PlanVersion) -> None:
    if version.status != PlanVersion.Status.PUBLISHED:
        raise PlanNotPublished(f"{version} is not published", field="plan")
    if str(version.price.currency) != customer.currency:
        raise PlanCurrency(
            f"{version} is sold in {version.price.currency}; {customer.key} pays in {customer.currency}", field="plan"
        )


def _asked(customer: Customer, wanted: Wanted, origin: SubscriptionOrder.Origin, now: datetime) -> dict[str, Any]:
    """What Stripe will be asked for, without the order's own name."""
    price = price_of(wanted.plan_version).price_id
    payer = _or_unavailable(lambda: stripe_customer_of(customer, now))
    asked: dict[str, Any] = {"customer": payer.stripe_id}
    trial = {"trial_period_days": wanted.trial_days} if wanted.trial_days else {}
    if settings.STRIPE_AUTOMATIC_TAX:
        asked["automatic_tax"] = {"enabled": True}
    if origin is SubscriptionOrder.Origin.CHECKOUT:
        if settings.STRIPE_AUTOMATIC_TAX:
            asked["customer_update"] = {"address": "auto"}
        if wanted.cancel_url:
            asked["cancel_url"] = wanted.cancel_url
        return asked | {
            "mode": "subscription",
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": wanted.success_url,
            "client_reference_id": customer.key,
            "subscription_data": trial,
        }
    card = payer.default_payment_method
    if not card:
        raise NoCardOnFile(f"{customer.key} has no card on file: send them to a checkout")
    return (
        asked
        | trial
        | {
            "items": [{"price": price}],
            "default_payment_method": card,
            "payment_behavior": "error_if_incomplete",
            "off_session": True,
        }
    )


def _signed(asked: dict[str, Any], order: SubscriptionOrder, origin: SubscriptionOrder.Origin) -> dict[str, Any]:
    """With the order's name on the subscription, so that its webhooks lead back here."""
    name = {"order": str(order.pk)}
    if origin is SubscriptionOrder.Origin.CARD:
        return asked | {"metadata": name}
    return asked | {"metadata": name, "subscription_data": asked["subscription_data"] | {"metadata": name}}


def _begin(order: SubscriptionOrder, now: datetime) -> None:
    """Have the saved card charged and the subscription begun, once, however often this is carried on."""
    if now - order.created_at > KEY_IS_FORGOTTEN and _began_unheard(order, now):
        return
    try:
        seen = _or_unavailable(lambda: subscriptions.begin(order.asked, key=f"subscribe:{order.pk}"))
    except (Declined, NeedsAction, Invalid, Gone) as error:
        order.failure_code, order.failure = error.code, str(error)
        _close(order, SubscriptionOrder.State.FAILED, now)
    else:
        _converge(seen.id, now)


def _began_unheard(order: SubscriptionOrder, now: datetime) -> bool:
    """Whether Stripe did what was asked though its answer was lost. Looks through what the customer has there."""
    for subscription_id in subscriptions.subscriptions_of(str(order.asked["customer"])):
        if subscriptions.subscription(subscription_id).order == str(order.pk):
            _converge(subscription_id, now)
            return True
    return False


def _give_up(order: SubscriptionOrder, now: datetime) -> None:
    """Bring an order that nobody waits for any more to its end: paid after all, or closed for good."""
    if order.origin == SubscriptionOrder.Origin.CARD:
        _begin(order, now)
        return
    if not order.checkout_session_id:
        _close(order, SubscriptionOrder.State.EXPIRED, now)  # nobody was ever given its page
        return
    try:
        subscriptions.close_session(order.checkout_session_id)
    except (Invalid, Gone):
        pass  # complete, or expired by itself: which of them is seen next
    except StripeUnavailable as error:
        raise PaymentsUnavailable(str(error)) from error
    converge_session(order.checkout_session_id, now)


def _converge(subscription_id: str, now: datetime) -> None:
    with one_at_a_time(subscription_id):
        converge_subscription(subscription_id, now)


def _close(order: SubscriptionOrder, state: SubscriptionOrder.State, now: datetime) -> None:
    order.state, order.closed_at = state, now
    order.save(update_fields=["state", "closed_at", "failure_code", "failure"])


def _or_unavailable(ask: Callable[[], T]) -> T:
    """What Stripe answers. Raises PaymentsUnavailable where there is none: the order stays open, to be asked again."""
    try:
        return ask()
    except StripeUnavailable as error:
        raise PaymentsUnavailable(str(error)) from error
