"""Refunds and disputes: the credits they take back, and give back when the money stays after all.

Each refund or dispute takes its share of what the payment granted, remembered in `reversal`. Shares are counted on the
sum of what holds, rounded down once, so that parts of a payment add up to the whole whatever their number.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from billing.models import AutoTopUp, Payment, Reversal, TopUpOrder
from billing.stripe.amounts import from_minor, share
from billing.stripe.payments import PaymentSeen, Takeback
from entitlements.core.reversal import Moved
from entitlements.services.grants import give_back_credits, take_back_credits
from entitlements.services.outbox import tell
from kernel.units import format_credits

_UNDONE = {"refund": Reversal.Kind.REFUND_FAILED, "dispute": Reversal.Kind.DISPUTE_WON}


def undo_and_redo(order: TopUpOrder, payment: Payment, seen: PaymentSeen, now: datetime) -> None:
    """Take back for every refund and dispute that holds, give back for those that do not any more; each once.

    In the caller's transaction, with the payment's row locked.
    """
    done: dict[tuple[str, str], list[Reversal]] = {}
    for row in Reversal.objects.filter(payment=payment):
        done.setdefault((row.source_id, row.kind), []).append(row)
    held = 0
    for takeback in seen.takebacks:
        taken = done.get((takeback.id, takeback.kind))
        given = done.get((takeback.id, _UNDONE[takeback.kind]))
        if taken and not takeback.holds and not given:
            _give_back(order, payment, takeback, taken, now)
        elif taken and not given:
            held += takeback.minor
    for takeback in seen.takebacks:
        if takeback.holds and (takeback.id, takeback.kind) not in done:
            _take_back(order, payment, seen, takeback, held, now)
            held += takeback.minor
    _sum_up(payment, seen)


def _take_back(
    order: TopUpOrder, payment: Payment, seen: PaymentSeen, takeback: Takeback, held: int, now: datetime
) -> None:
    before, after = min(held, seen.minor), min(held + takeback.minor, seen.minor)
    net: Any = payment.net
    money = share(net, after, seen.minor) - share(net, before, seen.minor)
    grants = [(payment.grant_id, order.microcredits, money)]
    grants += [(payment.bonus_grant_id, order.bonus_microcredits, money - money)] if payment.bonus_grant_id else []
    taken = 0
    for grant, microcredits, worth in grants:
        part = microcredits * after // seen.minor - microcredits * before // seen.minor
        moved = take_back_credits(order.customer.key, _known(grant), part, now) if part else Moved(0, 0)
        _keep(payment, takeback, takeback.kind, grant, -worth, moved, takeback.opened_at, now)
        taken += moved.unburned + moved.burned
    if takeback.kind == "dispute":
        AutoTopUp.objects.filter(customer_id=order.customer_id, paused_reason="").update(
            paused_reason=AutoTopUp.Paused.DISPUTED, changed_at=now
        )
    kind = "top_up.refunded" if takeback.kind == "refund" else "top_up.disputed"
    _tell(order, takeback, kind, taken, now)


def _give_back(order: TopUpOrder, payment: Payment, takeback: Takeback, taken: list[Reversal], now: datetime) -> None:
    kind, given = _UNDONE[takeback.kind], 0
    for row in taken:
        moved = Moved(row.unburned_microcredits, row.burned_microcredits)
        if moved != Moved(0, 0):
            moved = give_back_credits(order.customer.key, row.grant_id, moved, now)
        _keep(payment, takeback, kind, row.grant_id, -row.amount, moved, takeback.changed_at or now, now)
        given += moved.unburned + moved.burned
    if takeback.kind == "dispute":
        AutoTopUp.objects.filter(customer_id=order.customer_id, paused_reason=AutoTopUp.Paused.DISPUTED).update(
            paused_reason="", changed_at=now
        )
    _tell(order, takeback, "top_up.restored", given, now)


def _keep(
    payment: Payment,
    takeback: Takeback,
    kind: str,
    grant: UUID | None,
    money: Any,
    moved: Moved,
    occurred_at: datetime,
    now: datetime,
) -> None:
    Reversal.objects.create(
        customer_id=payment.customer_id,
        payment=payment,
        grant_id=_known(grant),
        source_id=takeback.id,
        kind=kind,
        amount=money,
        unburned_microcredits=moved.unburned,
        burned_microcredits=moved.burned,
        occurred_at=occurred_at,
        recorded_at=now,
    )


def _sum_up(payment: Payment, seen: PaymentSeen) -> None:
    """What has gone back of the payment, with tax, as Stripe counts it."""
    sums = {"refund": 0, "dispute": 0}
    for takeback in seen.takebacks:
        sums[takeback.kind] += takeback.minor if takeback.holds else 0
    refunded: Any = from_minor(sums["refund"], seen.currency)
    disputed: Any = from_minor(sums["dispute"], seen.currency)
    payment.refunded, payment.disputed = refunded, disputed
    payment.save(update_fields=["refunded", "disputed"])


def _tell(order: TopUpOrder, takeback: Takeback, kind: str, microcredits: int, now: datetime) -> None:
    payload = {"top_up": str(order.pk), "key": order.key, takeback.kind: takeback.id}
    payload["credits"] = format_credits(microcredits)
    tell(order.customer_id, f"{kind}:{takeback.id}", kind, payload, now)


def _known(grant: UUID | None) -> UUID:
    if grant is None:
        raise AssertionError("a payment without its grant has nothing to take back")
    return grant
