"""Working out the projected margins of guarded customers, and keeping them where the gate reads them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Final

from django.db import connection, transaction

from entitlements.models import MarginFigure, OutboxMessage
from entitlements.services.accounts import opened_one
from kernel.clock import format_instant
from kernel.units import format_scaled
from margins.guard.accounts import FirstHours, GuardedAccount, due_accounts, first_hours
from margins.guard.projection import Projection, SoFar, project
from margins.margin import INFERENCE, SUPPLIER_CURRENCY, Amounts, Margin
from margins.queries.dollars import per_dollar
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.recognition import RevenueKind
from margins.units import FEMTO_PER_NANO

BELOW_FLOOR: Final = "margin.below_floor"

_BATCH: Final = 200
_DAY: Final = timedelta(days=1)
_DOLLARS: Final = frozenset({SUPPLIER_CURRENCY})
_BY_USE: Final = (RevenueKind.CREDITS, RevenueKind.OVERAGE)
_ONE_AT_A_TIME: Final = 0x6D617267  # an advisory lock of our own; the number spells what it guards


def refresh_due(now: datetime) -> int | None:
    """Refresh every figure that is due. Returns how many; None when another worker is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        (ours,) = cursor.fetchone()
        if not ours:
            return None
        try:
            return refresh(due_accounts(now), now)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])


def refresh_customers(customer_ids: Sequence[int], now: datetime) -> int:
    """Refresh the figures of these customers, as far as they are guarded. Returns how many."""
    return refresh(due_accounts(now, customer_ids), now)


def refresh(accounts: Sequence[GuardedAccount], now: datetime) -> int:
    """Work out and store a figure for each of the accounts, and tell once a period who is below a floor."""
    # Those whose periods began on one day are asked for together.
    accounts = sorted(accounts, key=lambda account: account.period_start)
    written = 0
    for start in range(0, len(accounts), _BATCH):
        batch = accounts[start : start + _BATCH]
        figures = dict(_figures(batch, now))
        _store(figures, [account.customer_id for account in batch])
        for account in batch:
            if account.customer_id in figures:
                _tell(account, figures[account.customer_id], now)
        written += len(figures)
    return written


def _figures(accounts: Sequence[GuardedAccount], now: datetime) -> Iterator[tuple[int, MarginFigure]]:
    """The figures of accounts whose margin can be worked out: all of it in the customer's own currency."""
    early = first_hours([account for account in accounts if account.period_start != _midnight(account.period_start)])
    by_day: defaultdict[date, list[GuardedAccount]] = defaultdict(list)
    for account in accounts:
        by_day[account.period_start.astimezone(UTC).date()].append(account)
    for day, these in by_day.items():
        ids = [account.customer_id for account in these]
        whole = _margins(ids, day, now)
        starting = _margins([one for one in ids if one in early], day, now, days=1)
        for account in these:
            key, first = account.key, early.get(account.customer_id)
            so_far = _so_far(account, whole.get(key), starting.get(key), first, now)
            if so_far is not None:
                unpriced = _unpriced(account, whole, starting, early)
                yield account.customer_id, _figure(account, project(so_far, now), unpriced, now)


def _margins(customer_ids: Sequence[int], day: date, now: datetime, *, days: int | None = None) -> dict[str, Margin]:
    """Each customer's margin from a day on, until now or over so many days, by key. Nothing where nothing happened."""
    if not customer_ids:
        return {}
    end = now.date() + _DAY if days is None else day + days * _DAY
    rows = margin_rows(Scope(day, end, tuple(customer_ids)), (Dimension.CUSTOMER,), now=now)
    return {str(row.key[0]): row.margin for row in rows}


def _so_far(
    account: GuardedAccount, whole: Margin | None, starting: Margin | None, early: FirstHours | None, now: datetime
) -> SoFar | None:
    """The period so far; None when some of it is in another currency.

    Rollups are of whole days. Where a period starts within one, the use of that day is taken out and what came after
    the start put in instead; our other costs, which come with time, are drawn out from its midnight.
    """
    whole, starting = whole or Margin(account.currency), starting or Margin(account.currency)
    per_usd = per_dollar(account.currency, now.date())
    if per_usd is None or account.price_currency != account.currency or set(whole.not_convertible) - _DOLLARS:
        return None
    if early is None:
        starting, early = Margin(account.currency), FirstHours(0, 0, 0, 0)
    dollars = whole.not_convertible.get(SUPPLIER_CURRENCY, Amounts())
    if any(dollars.revenue.values()):
        return None
    inference = _inference(whole, per_usd)
    costs = whole.own.total_cogs + round(dollars.total_cogs * per_usd)
    by_use = sum(whole.own.revenue.get(kind, 0) - starting.own.revenue.get(kind, 0) for kind in _BY_USE)
    subscription = whole.own.revenue.get(RevenueKind.SUBSCRIPTION, 0)
    others = sum(whole.own.revenue.values()) - subscription - sum(whole.own.revenue.get(kind, 0) for kind in _BY_USE)
    return SoFar(
        start=account.period_start,
        end=account.period_end,
        promised_nano=_promised(account, subscription, now),
        use_cost_femto=inference - _inference(starting, per_usd) + round(early.cost_nanousd * FEMTO_PER_NANO * per_usd),
        use_revenue_femto=by_use + early.revenue_nano * FEMTO_PER_NANO,
        other_cost_femto=costs - inference,
        other_since=_midnight(account.period_start),
        other_revenue_femto=others,
        charged_microcredits=whole.usage.charged_microcredits
        - starting.usage.charged_microcredits
        + early.charged_microcredits,
        credits_left=account.credits_left,
    )


def _inference(margin: Margin, per_usd: Fraction) -> int:
    """The suppliers' cost in the customer's currency, at today's rate: a projection is of today."""
    dollars = margin.other.get(SUPPLIER_CURRENCY, Amounts())
    return margin.own.cogs.get(INFERENCE, 0) + round(dollars.cogs.get(INFERENCE, 0) * per_usd)


def _promised(account: GuardedAccount, recognised_femto: int, now: datetime) -> int:
    """What subscriptions earn of this period: the plan's price; after a change of plans, each plan's for its days."""
    if account.subscribed_at <= account.period_start:
        return account.price_nano
    length, left = (
        span // timedelta(microseconds=1)
        for span in (account.period_end - account.period_start, account.period_end - now)
    )
    return recognised_femto // FEMTO_PER_NANO + account.price_nano * left // length


def _unpriced(
    account: GuardedAccount, whole: dict[str, Margin], starting: dict[str, Margin], early: dict[int, FirstHours]
) -> int:
    calls = whole[account.key].usage.unpriced_calls if account.key in whole else 0
    if account.customer_id not in early:
        return calls
    before = starting[account.key].usage.unpriced_calls if account.key in starting else 0
    return calls - before + early[account.customer_id].unpriced_calls


def _figure(account: GuardedAccount, projected: Projection, unpriced_calls: int, now: datetime) -> MarginFigure:
    return MarginFigure(
        customer_id=account.customer_id,
        period_start=account.period_start,
        period_end=account.period_end,
        computed_at=now,
        currency=account.currency,
        revenue_nano=projected.revenue_nano,
        cost_nano=projected.cost_nano,
        # Without revenue and without cost there is no margin to guard.
        ratio_micro=projected.ratio_micro,
        unpriced_calls=unpriced_calls,
    )


def _store(figures: dict[int, MarginFigure], customer_ids: Sequence[int]) -> None:
    """Write the figures; a customer who has none any more loses the old one."""
    kept = [figure for figure in figures.values() if figure.revenue_nano > 0 or figure.cost_nano > 0]
    ids = {figure.customer_id for figure in kept}
    with transaction.atomic():
        MarginFigure.objects.filter(customer_id__in=[one for one in customer_ids if one not in ids]).delete()
        MarginFigure.objects.bulk_create(
            kept,
            update_conflicts=True,
            unique_fields=["customer_id"],
            update_fields=[field.name for field in MarginFigure._meta.fields if not field.primary_key],  # noqa: SLF001
        )


def _tell(account: GuardedAccount, figure: MarginFigure, now: datetime) -> None:
    """Put a message into the outbox, once a period."""
    ratio = figure.ratio_micro
    if (ratio is not None and ratio >= account.floor_micro) or (ratio is None and figure.cost_nano <= 0):
        return
    key = f"{BELOW_FLOOR}:{account.period_start.isoformat()}"
    if OutboxMessage.objects.filter(customer_id=account.customer_id, key=key).exists():
        return
    payload = {
        "floor": format_scaled(account.floor_micro, 6),
        "projected_margin": None if ratio is None else format_scaled(ratio, 6),
        "revenue": format_scaled(figure.revenue_nano, 9),
        "cost": format_scaled(figure.cost_nano, 9),
        "currency": account.currency,
        "period_start": format_instant(account.period_start),
        "period_end": format_instant(account.period_end),
    }
    with opened_one(account.key, now=now) as (locked, _):
        locked.tell(key, BELOW_FLOOR, payload, now)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC).date(), time.min, UTC)
