"""How far a customer's limits are used now, by the same windows and counters the gate decides from."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from django.db import connection
from django.db.models import Case, F, QuerySet, Value, When
from msgspec.structs import replace

from entitlements.core.account import Account
from entitlements.core.limits import Shared, used_in, window
from entitlements.models import LimitCounter, Run
from entitlements.store.shared import figures_in, usage_statement
from kernel.ids import key_digest
from kernel.units import format_credits, format_usd
from plans.catalogue import Catalogue
from plans.terms import SHARED_SCOPES, LimitTerms

MOST_NEAR: Final = 10
"""How many users or runs are shown of a limit that each of them has: those nearest to it."""

RECENT_RUNS: Final = 200
"""Among how many open runs, the newest, those nearest to a limit are looked for."""


_WRITTEN: Final[Mapping[str, Callable[[int], str]]] = {"credits": format_credits, "cost": format_usd}


def in_unit(unit: str, amount: int) -> str:
    """An amount of a limit as a decimal string of its unit: calls, tokens, credits or US dollars."""
    return _WRITTEN.get(unit, str)(amount)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as it stands for one of those it binds: the customer, a user, a run, or everyone together.

    `used` is None where a limit counts nothing (per draw). Amounts are in the unit's smallest: microcredits, nano-USD.
    """

    limit: LimitTerms
    user: str | None = None
    run: str | None = None
    used: int | None = None
    held: int = 0
    starts_at: datetime | None = None
    resets_at: datetime | None = None

    @property
    def taken(self) -> int:
        """What is used and what is held: both count against the limit."""
        return (self.used or 0) + self.held

    @property
    def left(self) -> int:
        """What one more draw may take at most."""
        return max(0, self.limit.value - self.taken)

    @property
    def reached_percent(self) -> int | None:
        """The highest warning threshold that is reached."""
        reached = (percent for percent in self.limit.warn_at_percent if self.taken * 100 >= percent * self.limit.value)
        return None if self.used is None else max(reached, default=None)


def standings_of(
    account: Account, catalogue: Catalogue, now: datetime, *, user: str | None = None, run: str | None = None
) -> list[Standing]:
    """Every limit of the customer's plan as it stands at `now`, to which the account has been brought up to date.

    A limit of each user (or run) stands as it does for the one named, else for the MOST_NEAR nearest to it.
    """
    plan = catalogue.plans.get(account.plan_version_id or 0)
    limits = plan.limits if plan else ()
    shared = read_shared(catalogue, now) if any(limit.scope in SHARED_SCOPES for limit in limits) else {}
    found: list[Standing] = []
    for limit in limits:
        start, end = (None, None) if limit.window == "draw" else window(limit, account, now)
        blank = Standing(limit=limit, starts_at=start, resets_at=end)
        if start is None:
            found.append(blank)
        elif limit.scope in SHARED_SCOPES:
            found.append(replace(blank, used=shared.get(limit.id, 0)))
        elif limit.scope == "customer":
            found.append(_of(blank, account, "", None))
        elif limit.scope == "user":
            found += _of_users(blank, account, user)
        else:
            found += _of_runs(blank, account, run)
    return found


def read_shared(catalogue: Catalogue, now: datetime) -> Shared:
    """What the limits of a plan or of everyone have used, read now. (A gate keeps the figures for some seconds.)"""
    statement = usage_statement(catalogue, now)
    if statement is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return figures_in(cursor.fetchall())


def _of(blank: Standing, account: Account, scope_key: str, stored: LimitCounter | None) -> Standing:
    """The limit as one counter has it; there is none before its first use.

    A counter of the account comes before the stored one: holds that have ended since are released in it.
    """
    counter = account.counters.get((scope_key, blank.limit.key), stored)
    if counter is None or blank.starts_at is None:
        return replace(blank, used=0)
    return replace(blank, used=used_in(blank.limit, counter, blank.starts_at), held=counter.held)


def _of_users(blank: Standing, account: Account, user: str | None) -> list[Standing]:
    counters = LimitCounter.objects.filter(customer_id=account.customer_id, limit_key=blank.limit.key)
    if user is not None:
        key = f"user:{user}"
        return [_of(replace(blank, user=user), account, key, counters.filter(scope_key=key).first())]
    return [
        _of(replace(blank, user=counter.scope_key.removeprefix("user:")), account, counter.scope_key, counter)
        for counter in _nearest(blank, counters.filter(scope_key__startswith="user:"))
    ]


def _of_runs(blank: Standing, account: Account, run: str | None) -> list[Standing]:
    runs = Run.objects.filter(customer_id=account.customer_id)
    counters = LimitCounter.objects.filter(customer_id=account.customer_id, limit_key=blank.limit.key)
    if run is not None:
        keys = [f"run:{named.id}" for named in runs.filter(key_digest=key_digest(run))]
        return [_of(replace(blank, run=run), account, key, counters.filter(scope_key=key).first()) for key in keys]
    newest = runs.filter(closed_at=None).order_by("-opened_at")[:RECENT_RUNS]
    names = {f"run:{each.id}": each.key for each in newest}
    return [
        _of(replace(blank, run=names[counter.scope_key]), account, counter.scope_key, counter)
        for counter in _nearest(blank, counters.filter(scope_key__in=names))
    ]


def _nearest(blank: Standing, counters: "QuerySet[LimitCounter]") -> "QuerySet[LimitCounter]":
    used = Case(When(window_start__gte=blank.starts_at, then=F("used")), default=Value(0))
    return counters.annotate(taken=used + F("held")).filter(taken__gt=0).order_by("-taken", "scope_key")[:MOST_NEAR]
