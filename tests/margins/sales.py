"""Money that goes back: what billing writes when Stripe tells of a refund or a dispute, without Stripe."""

from datetime import datetime
from uuid import UUID, uuid4

from moneyed import Money

from billing.models import Payment, Reversal, TopUpOrder
from entitlements.core.reversal import Moved
from entitlements.models import CreditGrant, Customer
from entitlements.services.grants import give_back_credits, take_back_credits
from kernel.ids import key_digest, new_id


def goes_back(
    customer: Customer,
    grant: UUID,
    amount: str,
    now: datetime,
    *,
    kind: str = "refund",
    microcredits: int | None = None,
) -> Reversal:
    """A refund or dispute of `amount` of a pack: its share of the credits is taken back, what was burned as debt."""
    pack = CreditGrant.objects.get(customer_id=customer.pk, id=grant)
    share = microcredits
    if share is None:
        share = int(pack.amount_microcredits * Money(amount, pack.paid.currency).amount / pack.paid.amount)
    moved = take_back_credits(customer.key, grant, share, now)
    return _keep(customer, pack, kind, Money(f"-{amount}", pack.paid.currency), moved, now)


def comes_back(customer: Customer, taken: Reversal, now: datetime) -> Reversal:
    """A dispute is won: the money returns, and the credits."""
    pack = CreditGrant.objects.get(customer_id=customer.pk, id=taken.grant_id)
    moved = give_back_credits(
        customer.key, taken.grant_id, Moved(taken.unburned_microcredits, taken.burned_microcredits), now
    )
    return _keep(customer, pack, "dispute_won", -taken.amount, moved, now)


def _keep(customer: Customer, pack: CreditGrant, kind: str, amount: Money, moved: Moved, now: datetime) -> Reversal:
    return Reversal.objects.create(
        customer=customer,
        payment=_payment(customer, pack, now),
        grant_id=pack.id,
        source_id=str(uuid4()),
        kind=kind,
        amount=amount,
        unburned_microcredits=moved.unburned,
        burned_microcredits=moved.burned,
        occurred_at=now,
        recorded_at=now,
    )


def _payment(customer: Customer, pack: CreditGrant, now: datetime) -> Payment:
    """The pack's payment, and the order it was for."""
    intent = f"pi_{pack.id}"
    if payment := Payment.objects.filter(pk=intent).first():
        return payment
    order = TopUpOrder.objects.create(
        customer=customer, key=intent, key_digest=key_digest(intent), body_digest=new_id(), origin="checkout",
        state="paid", microcredits=pack.amount_microcredits, amount=pack.paid, payment_intent_id=intent, paid=pack.paid,
        tax=Money(0, pack.paid.currency), grant_id=pack.id, created_at=now, paid_at=now, closed_at=now,
    )  # fmt: skip
    zero = Money(0, pack.paid.currency)
    return Payment.objects.create(
        id=intent, customer=customer, order=order, status="succeeded", received=pack.paid, refunded=zero, disputed=zero,
        fetched_at=now,
    )  # fmt: skip
