"""From the ledger to what is to be invoiced: periods closed, thresholds noticed, each entry priced once."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from billing.models import OverageItem
from billing.stripe.amounts import rounded_down
from entitlements.models import Balance, Customer, EntryKind, LedgerEntry, Subscription
from entitlements.services.accounts import opened_one
from entitlements.services.standing import bill_accrued_overage
from kernel.units import MICROCREDITS_PER_CREDIT
from plans.models import PlanVersion


def accrue(now: datetime) -> int:
    """Bill what is due and take it from the ledger. Returns how many entries became items."""
    close_periods(now)
    bill_at_thresholds(now)
    unseen = _unseen().order_by().values_list("customer_id", flat=True).distinct()
    return sum(price_entries(customer_id, now) for customer_id in list(unseen))


def close_periods(now: datetime) -> None:
    """Let periods with overage end that ended while nobody called: an idle customer is invoiced too."""
    for key in _keys(Balance.objects.filter(overage_microcredits__gt=0, period_end__lte=now)):
        with opened_one(key, now=now):
            pass


def bill_at_thresholds(now: datetime) -> None:
    """Bill overage that has reached what its plan lets run up before it is invoiced."""
    for version in PlanVersion.objects.exclude(overage_invoice_at_microcredits=None):
        threshold = version.overage_invoice_at_microcredits or 0
        reached = Balance.objects.filter(plan_version_id=version.pk, overage_microcredits__gte=threshold)
        for key in _keys(reached):
            bill_accrued_overage(key, at_least=threshold, now=now)


@transaction.atomic
def price_entries(customer_id: int, now: datetime) -> int:
    """Price what the ledger has billed since the last time, in its order, once. Returns how many entries.

    What rounding leaves of one is carried to the next, so nothing is lost and nothing is charged twice.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    last = OverageItem.objects.filter(customer=customer).order_by("-seq").first()
    carried = Decimal(0) if last is None else last.exact + last.carried - last.amount.amount
    entries = list(_unseen().filter(customer_id=customer_id).order_by("seq"))
    for entry in entries:
        item = _priced(customer, entry, carried, now)
        item.save()
        carried = item.exact + item.carried - item.amount.amount
    return len(entries)


def _priced(customer: Customer, entry: LedgerEntry, carried: Decimal, now: datetime) -> OverageItem:
    version = plan_at(customer, entry.effective_at)
    price = None if version is None else version.overage_price
    exact = Decimal(0) if price is None else price.amount * entry.amount_microcredits / MICROCREDITS_PER_CREDIT
    # Any: the stubs know a MoneyField only as a decimal.
    amount: Any = rounded_down(Decimal(0) if price is None else exact + carried, customer.currency)
    if price is None:
        state = OverageItem.State.UNPRICED
    else:
        state = OverageItem.State.WAITING if amount.amount else OverageItem.State.CARRIED
    return OverageItem(
        customer=customer,
        seq=entry.seq,
        microcredits=entry.amount_microcredits,
        billed_at=entry.effective_at,
        plan_version=version,
        price=price,
        exact=exact,
        carried=carried,
        amount=amount,
        state=state,
        created_at=now,
    )


def plan_at(customer: Customer, at: datetime) -> PlanVersion | None:
    """The plan whose period ended, or ran, at that instant: of two that meet there it was the former."""
    subscriptions = Subscription.objects.filter(customer=customer).select_related("plan_version__plan")
    subscription = (
        subscriptions.filter(started_at__lt=at).order_by("-started_at", "-pk").first()
        or subscriptions.filter(started_at=at).order_by("pk").first()
    )
    return None if subscription is None else subscription.plan_version


def _unseen() -> "QuerySet[LedgerEntry]":
    """Ledger entries that billed overage and are no items yet."""
    item = OverageItem.objects.filter(customer_id=OuterRef("customer_id"), seq=OuterRef("seq"))
    return LedgerEntry.objects.filter(~Exists(item), kind=EntryKind.OVERAGE_BILLED.value)


def _keys(balances: "QuerySet[Balance]") -> list[str]:
    return list(
        Customer.objects.filter(pk__in=balances.values("customer_id")).order_by("pk").values_list("key", flat=True)
    )
