"""Auto top-ups: the standing order, and the order it places when a balance is low. Charging it is charging.py's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Sum
from moneyed import Money

from billing.models import AutoTopUp, TopUpOrder
from billing.services.offers import Offer, most_at_once, offer_custom, offer_packs, pack_on_sale
from billing.services.top_ups import new_order
from entitlements.models import Balance, Customer
from entitlements.services.accounts import read_balance
from entitlements.services.low_balance import tell_when_below
from entitlements.services.outbox import tell
from entitlements.services.problems import CustomerUnknown
from kernel.errors import InvalidInput, NotFound, Problem
from kernel.ids import body_digest, key_digest
from kernel.units import format_credits


class NoAutoTopUp(NotFound):
    code = "auto_top_up_not_set"
    title = "The customer has no auto top-up"


class AutoTopUpTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wants: below which balance, which pack or how many microcredits, up to how much a month."""

    threshold_microcredits: int
    pack: str | None = None
    microcredits: int | None = None
    monthly_cap: Money | None = None
    enabled: bool = True


def set_auto_top_up(customer_key: str, terms: AutoTopUpTerms, now: datetime) -> AutoTopUp:
    """Set or replace a customer's standing order. Whatever it rested for is forgotten: somebody has looked at it.

    Raises CustomerUnknown, InvalidInput, PackUnknown, CustomAmountNotSold.
    """
    with transaction.atomic():
        customer = _customer(customer_key)
        if (terms.pack is None) == (terms.microcredits is None):
            raise InvalidInput("say either which pack or how many credits", field="pack")
        offer = _offer(terms.pack, terms.microcredits, customer.currency)
        cap: Any = terms.monthly_cap
        if cap is not None:
            _check_cap(cap, offer, customer.currency)
        row, _ = AutoTopUp.objects.update_or_create(
            customer=customer,
            defaults={
                "enabled": terms.enabled,
                "threshold_microcredits": terms.threshold_microcredits,
                "pack": offer.pack,
                "microcredits": terms.microcredits,
                "monthly_cap": cap,
                "paused_reason": "",
                "failures": 0,
                "next_try_at": None,
                "changed_at": now,
            },
            create_defaults={
                "enabled": terms.enabled,
                "threshold_microcredits": terms.threshold_microcredits,
                "pack": offer.pack,
                "microcredits": terms.microcredits,
                "monthly_cap": cap,
                "created_at": now,
                "changed_at": now,
            },
        )
        tell_when_below(customer.key, terms.threshold_microcredits if terms.enabled else None, now)
    return row


def auto_top_up_of(customer_key: str) -> AutoTopUp:
    """The customer's standing order. Raises CustomerUnknown, NoAutoTopUp."""
    row = AutoTopUp.objects.select_related("pack").filter(customer=_customer(customer_key)).first()
    if row is None:
        raise NoAutoTopUp(f"customer {customer_key!r} has no auto top-up")
    return row


def end_auto_top_up(customer_key: str, now: datetime) -> None:
    """Take the standing order back. One that is being charged is still charged or given up by itself.

    Raises CustomerUnknown, NoAutoTopUp.
    """
    with transaction.atomic():
        auto_top_up_of(customer_key).delete()
        tell_when_below(customer_key, None, now)


def place_due_orders(now: datetime) -> int:
    """Order for every customer whose balance is low and whose standing order may act. Returns how many were placed."""
    low = Balance.objects.filter(low_since__isnull=False).values("customer_id")
    ready = AutoTopUp.objects.filter(enabled=True, paused_reason="", customer_id__in=low)
    ready = ready.exclude(next_try_at__gt=now).exclude(
        customer_id__in=TopUpOrder.objects.filter(origin=TopUpOrder.Origin.AUTO, closed_at=None).values("customer_id")
    )
    return sum(place_order(customer_id, now) is not None for customer_id in ready.values_list("pk", flat=True))


def place_order(customer_id: int, now: datetime) -> TopUpOrder | None:
    """Write down what one charge has to buy to close the gap; None if none is to be made after all.

    The row lock, and the constraint that a customer has one such order in flight, let only one caller through.
    """
    with transaction.atomic():
        row = AutoTopUp.objects.select_for_update(of=("self",)).select_related("customer", "pack")
        standing = row.filter(pk=customer_id, enabled=True, paused_reason="").first()
        in_flight = TopUpOrder.objects.filter(customer_id=customer_id, origin=TopUpOrder.Origin.AUTO, closed_at=None)
        if standing is None or in_flight.exists() or (standing.next_try_at and standing.next_try_at > now):
            return None
        gap = standing.threshold_microcredits - read_balance(standing.customer.key, now).available
        if gap <= 0:
            return None
        try:
            offer = _closing(standing, gap, now)
        except Problem as problem:  # what it buys is not on sale any more
            _pause(standing, problem, now)
            return None
        if offer is None:
            _rest_until_next_month(standing, now)
            return None
        key = f"auto:{now.isoformat()}"
        order = new_order(
            standing.customer,
            offer,
            key=key,
            key_digest=key_digest(f"auto-top-up:{key}"),
            body_digest=body_digest([key]),
            origin=TopUpOrder.Origin.AUTO,
            next_try_at=now,
            created_at=now,
        )
        order.save(force_insert=True)
        return order


def is_still_wanted(order: TopUpOrder, now: datetime) -> bool:
    """Whether there is still a gap that an order not yet paid was to close."""
    standing = AutoTopUp.objects.filter(pk=order.customer_id, enabled=True, paused_reason="").first()
    if standing is None:
        return False
    return read_balance(order.customer.key, now).available < standing.threshold_microcredits


def _closing(standing: AutoTopUp, gap: int, now: datetime) -> Offer | None:
    """The fewest packs that close the gap, or as many of them as this month's cap allows; None if that is none."""
    room = _room(standing, now)
    currency, pack = standing.customer.currency, standing.pack
    one = _offer(pack.key if pack else None, standing.microcredits, currency)
    each = one.microcredits + one.bonus_microcredits
    for count in range(min(-(-gap // each), most_at_once(one.amount)), 0, -1):
        offer = offer_packs(pack, count) if pack else offer_custom(one.microcredits * count, currency)
        if room is None or offer.amount <= room:
            return offer
    return None


def _room(standing: AutoTopUp, now: datetime) -> Money | None:
    """What may still be spent this calendar month, in UTC; None without a cap. Orders in flight count as spent."""
    cap: Any = standing.monthly_cap
    if cap is None:
        return None
    orders = TopUpOrder.objects.filter(
        customer_id=standing.customer_id,
        origin=TopUpOrder.Origin.AUTO,
        created_at__gte=_month(now),
        amount_currency=str(cap.currency),
    ).exclude(state__in=(TopUpOrder.State.FAILED, TopUpOrder.State.EXPIRED))
    spent = orders.aggregate(sum=Sum("amount"))["sum"] or 0
    return Money(cap.amount - spent, cap.currency)


def _pause(standing: AutoTopUp, problem: Problem, now: datetime) -> None:
    standing.paused_reason = AutoTopUp.Paused.REFUSED
    standing.changed_at = now
    standing.save(update_fields=["paused_reason", "changed_at"])
    payload = {"code": problem.code, "reason": problem.detail, "retry_at": None}
    tell(standing.customer_id, f"top_up.failed:standing:{now.isoformat()}", "top_up.failed", payload, now)


def _rest_until_next_month(standing: AutoTopUp, now: datetime) -> None:
    standing.next_try_at = (_month(now) + timedelta(days=32)).replace(day=1)
    standing.save(update_fields=["next_try_at"])
    cap: Any = standing.monthly_cap
    payload = {
        "monthly_cap": {"amount": f"{cap.amount:f}", "currency": str(cap.currency)},
        "threshold": format_credits(standing.threshold_microcredits),
    }
    tell(standing.customer_id, f"top_up.cap_reached:{_month(now):%Y-%m}", "top_up.cap_reached", payload, now)


def _month(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _offer(pack: str | None, microcredits: int | None, currency: str) -> Offer:
    if pack is not None:
        return offer_packs(pack_on_sale(pack, currency))
    return offer_custom(microcredits or 0, currency)


def _check_cap(cap: Money, offer: Offer, currency: str) -> None:
    if str(cap.currency) != currency:
        raise InvalidInput(f"the customer pays in {currency}", field="monthly_cap.currency")
    if cap < offer.amount:
        raise InvalidInput(
            f"one purchase costs {offer.amount.amount.normalize():f} {currency}, more than this", field="monthly_cap"
        )


def _customer(key: str) -> Customer:
    customer = Customer.objects.filter(key=key).first()
    if customer is None:
        raise CustomerUnknown(f"no customer has the key {key!r}")
    return customer
