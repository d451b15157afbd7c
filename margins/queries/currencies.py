"""The margin settings, and the exchange rates they need."""

from collections.abc import Collection, Sequence
from datetime import date

from entitlements.models import Customer, Subscription
from margins.currencies import MAX_AGE, RATE_PLACES, Rates
from margins.models import FxRate, MarginSetting


def margin_setting() -> MarginSetting:
    """What is set, or the defaults. Not saved: reports only read."""
    return MarginSetting.objects.filter(pk=1).first() or MarginSetting()


def rates(into: str, currencies: Collection[str], start: date, end: date) -> Rates:
    """What these currencies were worth on the days [start, end)."""
    found = FxRate.objects.filter(
        into=into, currency__in=sorted(set(currencies) - {into}), day__gte=start - MAX_AGE, day__lt=end
    )
    return Rates(into, {(row.currency, row.day): int(row.rate.scaleb(RATE_PLACES)) for row in found})


def currencies_in_play(customer_ids: Sequence[int] | None) -> set[str]:
    """What these customers, or all, are billed in and what the plans they were ever on are sold in."""
    customers, subscriptions = Customer.objects.all(), Subscription.objects.all()
    if customer_ids is not None:
        customers = customers.filter(id__in=customer_ids)
        subscriptions = subscriptions.filter(customer_id__in=customer_ids)
    billed_in = customers.order_by().values_list("currency", flat=True)
    sold_in = subscriptions.order_by().values_list("plan_version__price_currency", flat=True)
    return set(billed_in.union(sold_in))
