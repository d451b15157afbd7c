"""What was billed beside what was earned, and what is between them: deferred revenue. Reads only."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import msgspec
from django.db import connection

from margins.queries.ledger_sql import statement
from margins.queries.margins import Scope, margin_rows
from margins.recognition import RevenueKind, day_start
from margins.units import FEMTO_PER_NANO

_BEGINNING: Final = date(2000, 1, 1)


class BilledKind(StrEnum):
    """What a customer was asked to pay for, before tax."""

    SUBSCRIPTION = "subscription"
    CREDITS = "credits"
    OVERAGE = "overage"
    REFUNDS = "refunds"
    """Money that went back by refunds and disputes, negative, and what returned of it."""


class Billed(msgspec.Struct):
    """One currency's money of a stretch of days. Nano-units; everything but the two deferred is of the days alone.

    Deferred is what customers have been billed and not yet earned for: an obligation where positive (packs not burned,
    periods not over), and where negative what has been earned and not yet billed (overage before its invoice).
    """

    currency: str
    billed: dict[BilledKind, int] = {}
    recognised: dict[RevenueKind, int] = {}
    deferred_before: int = 0

    @property
    def total_billed(self) -> int:
        """Billed, less what went back."""
        return sum(self.billed.values())

    @property
    def total_recognised(self) -> int:
        return sum(self.recognised.values())

    @property
    def deferred_after(self) -> int:
        return self.deferred_before + self.total_billed - self.total_recognised


def billed(scope: Scope, *, now: datetime) -> list[Billed]:
    """Billed, recognised and deferred of the scope's days that have begun, a row for each currency money moved in."""
    rows: dict[str, Billed] = {}
    before = Scope(_BEGINNING, scope.start, scope.customer_ids)
    for currency, _, amount in _bills(before, now):
        _of(rows, currency).deferred_before += amount
    for currency, _, amount in _recognised(before, now):
        _of(rows, currency).deferred_before -= amount
    for currency, kind, amount in _bills(scope, now):
        of = _of(rows, currency).billed
        of[kind] = of.get(kind, 0) + amount
    for currency, earned, amount in _recognised(scope, now):
        by_kind = _of(rows, currency).recognised
        by_kind[earned] = by_kind.get(earned, 0) + amount
    return [rows[currency] for currency in sorted(rows)]


def _of(rows: dict[str, Billed], currency: str) -> Billed:
    return rows.setdefault(currency, Billed(currency))


def _bills(scope: Scope, now: datetime) -> Iterable[tuple[str, BilledKind, int]]:
    """What was billed on these days until now, by currency and kind."""
    parameters = {
        "since": day_start(scope.start),
        "until": min(day_start(scope.end), now),
        "customers": None if scope.customer_ids is None else list(scope.customer_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement(("bills",), "billed"), parameters)
        for _, currency, kind, amount in cursor.fetchall():
            yield currency, BilledKind(kind), int(amount)


def _recognised(scope: Scope, now: datetime) -> Iterable[tuple[str, RevenueKind, int]]:
    """What was earned on these days until now, by currency and kind."""
    for row in margin_rows(scope, (), now=now):
        for currency, amounts in ((row.margin.currency, row.margin.own), *row.margin.other.items()):
            for kind, amount in amounts.revenue.items():
                yield currency, kind, amount // FEMTO_PER_NANO
