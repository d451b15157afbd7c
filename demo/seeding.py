"""Living the demo company's past through the services: every purchase and call at its own time, in order.

All of it is one transaction, so there is the whole company or none of it, whatever happens meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from django.db import connection, transaction
from django.db.models import F

from demo.cast import Member
from demo.company import Company, Life
from demo.costs import create_cost_lines, state_benefits
from demo.opening import Runs
from demo.reported import Reported
from entitlements.models import Balance, Customer
from entitlements.services.customers import upsert_customer
from entitlements.services.grants import GrantRequest, add_grant
from entitlements.services.subscriptions import end_subscription, subscribe
from entitlements.services.usage import record_many
from kernel.errors import Problem
from kernel.units import MICROCREDITS_PER_CREDIT
from plans.auditing import Acknowledged
from plans.catalogue_file.applying import apply_catalogue
from plans.models import PlanVersion, TopUpPack

CATALOGUE: Final = Path(__file__).parent / "catalogue.yaml"

ACKNOWLEDGED: Final = Acknowledged(
    actor="demo",
    reason="Flat is on sale to show what an all-you-can-eat price does to margins when one customer is hungry.",
)

STEP: Final = timedelta(hours=6)
"""How much time passes at once: usage of a step is recorded as a batch, and low credits are noticed at its end."""

_PROMO_LASTS: Final = timedelta(days=14)
_LOW_CREDITS: Final = 200 * MICROCREDITS_PER_CREDIT
_ONE_AT_A_TIME: Final = 0x77656972  # an advisory lock of our own; the number spells the service's name


class NotEmpty(Exception):
    """There are customers already: the demo company does not mix with anybody's."""


class Happening(msgspec.Struct, frozen=True):
    """Something a customer does at an instant besides using the product."""

    at: datetime
    do: Callable[[], object]


def seed(company: Company, progressed: Callable[[int], None], also: Callable[[], None]) -> None:
    """Fill an empty database with the company, then run `also` in the same transaction.

    Calls `progressed` with the number of usage events recorded since the last time. Raises NotEmpty.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Whoever comes second waits here until the first is done, and then finds its customers.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        if Customer.objects.exists():
            raise NotEmpty("there are customers here already")
        apply_catalogue(CATALOGUE.read_text(), publish=True, now=company.start, acknowledged=ACKNOWLEDGED)
        create_cost_lines(company.start.date())
        state_benefits(company.start.date())
        _Past(company).live(progressed)
        also()


class _Past:
    """The company's past as it is lived, step by step."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._plans = {version.plan.key: version for version in PlanVersion.objects.select_related("plan")}
        self._packs = {pack.key: pack for pack in TopUpPack.objects.all()}
        self._purchases = 0
        self._buyers: dict[int, Member] = {}

    def live(self, progressed: Callable[[int], None]) -> None:
        happenings = sorted(
            (happening for life in self._company.lives for happening in self._happenings(life)),
            key=lambda happening: happening.at,
        )
        calls, runs = self._company.calls, Runs(self._company.runs)
        now, told, heard = self._company.start, 0, 0
        while now < self._company.until:
            now = min(now + STEP, self._company.until)
            while told < len(happenings) and happenings[told].at < now:
                happenings[told].do()
                told += 1
            received = heard
            while heard < len(calls) and calls[heard].received_at < now:
                heard += 1
            runs.open(now)
            _record(calls[received:heard], now)
            runs.close(now)
            self._buy_where_low(now)
            progressed(heard - received)

    def _happenings(self, life: Life) -> Iterator[Happening]:
        member = life.member
        yield Happening(life.joined_at, lambda: self._join(life))
        if member.promo:
            grant = GrantRequest(
                key="welcome",
                microcredits=member.promo * MICROCREDITS_PER_CREDIT,
                source="promo",
                expires_at=life.joined_at + _PROMO_LASTS,
                reason="Welcome credits",
            )
            yield Happening(life.joined_at, lambda: add_grant(member.key, grant, life.joined_at))
        if member.moves is not None and life.moves_at is not None:
            at, plan = life.moves_at, self._plans[member.moves[1]]
            yield Happening(at, lambda: subscribe(member.key, plan, at))
        if life.left_at is not None:
            left_at = life.left_at
            yield Happening(left_at, lambda: end_subscription(member.key, left_at))

    def _join(self, life: Life) -> None:
        member = life.member
        customer, _ = upsert_customer(member.key, {"name": member.name, "tags": {"demo": True}}, life.joined_at)
        if member.tops_up:
            self._buyers[customer.pk] = member
        subscribe(member.key, self._plans[member.plan], life.joined_at, anchor=life.anchor)

    def _buy_where_low(self, now: datetime) -> None:
        """Let those who top up buy their pack when less than 200 credits are left."""
        low = Balance.objects.filter(
            customer_id__in=self._buyers,
            posted_microcredits__lt=F("held_microcredits") + F("debt_microcredits") + _LOW_CREDITS,
        )
        for customer_id in low.values_list("customer_id", flat=True):
            self._buy(self._buyers[customer_id], now)

    def _buy(self, member: Member, now: datetime) -> None:
        self._purchases += 1
        pack = self._packs[member.tops_up or ""]
        order = f"order-{self._purchases}"
        expires_at = now + timedelta(days=pack.expires_after_days) if pack.expires_after_days else None
        bought = GrantRequest(
            key=order,
            microcredits=pack.microcredits,
            source="top_up",
            expires_at=expires_at,
            paid=pack.price,
            reason=f"{pack.name} pack",
        )
        add_grant(member.key, bought, now)
        if pack.bonus_microcredits:
            bonus = GrantRequest(
                key=f"{order}:bonus",
                microcredits=pack.bonus_microcredits,
                source="promo",
                expires_at=expires_at,
                reason=f"{pack.name} pack, bonus",
            )
            add_grant(member.key, bonus, now)


def _record(calls: Sequence[Reported], now: datetime) -> None:
    if not calls:
        return
    for call, result in zip(calls, record_many([(call.customer, call.fact) for call in calls], now), strict=True):
        if isinstance(result, Problem):
            raise RuntimeError(f"the demo's own call {call.fact.key} was refused: {result.detail}")
