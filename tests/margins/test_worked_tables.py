"""A table for everything that can happen to a month: one customer, through the services, and what its days then say."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from entitlements.models import CreditGrant
from entitlements.services.subscriptions import subscribe
from metering.models import CostCard
from metering.rerating.applying import apply, undo
from metering.rerating.scope import Scope as ReratingScope
from tests import accounts
from tests.margins.books import at, cost_line
from tests.margins.sales import goes_back
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
CUTS = ["", "customer", "user", "feature", "model", "plan", "cohort", "day", "feature,day", "customer,user,model,plan"]

Row = tuple[str, str, str]
"""A day's revenue, COGS and gross margin."""


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def table(api: Callable[..., Any]) -> Callable[..., dict[int, Row]]:
    """The days of November on which anything happened; every cut must sum to the same."""

    def read(key: str = "acme") -> dict[int, Row]:
        asked = {"customer": key, "limit": "200", **NOVEMBER}
        reports = [api("/margins", **asked, **({"by": by} if by else {})).json() for by in CUTS]
        assert [report["totals"] for report in reports] == [reports[0]["totals"]] * len(CUTS)
        for report in reports:
            for figure in ("revenue", "cogs"):
                rows = sum(Decimal(row[figure]["total"]) for row in report["data"])
                assert rows == sum(Decimal(row[figure]["total"]) for row in report["totals"])
        return {
            date.fromisoformat(row["day"]).day: (row["revenue"]["total"], row["cogs"]["total"], row["gross_margin"])
            for row in reports[CUTS.index("day")]["data"]
            if (row["revenue"]["total"], row["cogs"]["total"]) != ("0", "0")
        }

    return read


def spent(key: str, credits: int, dollars: str, *, day: int) -> Any:
    return accounts.fact(
        key,
        at=at(day),
        stated_microcredits=credits * CREDIT,
        reported_cost_nanousd=int(Decimal(dollars) * 10**9),
        user_key="ann",
    )


@pytest.fixture
def acme(world: World) -> Actor:
    """100 credits for $20, of which 10 are spent on the third for $0.50 of inference."""
    acme = Actor("acme", FIRST, world.metered)
    acme.is_granted(100, paid=Money(20, "USD"), expires_at=at(25, 0))
    acme.uses(spent("a", 10, "0.5", day=3), now=at(3))
    return acme


def test_a_late_event_is_of_its_own_day(acme: Actor, table: Callable[..., dict[int, Row]]) -> None:
    assert table() == {3: ("2", "0.5", "1.5"), 25: ("18", "0", "18")}, "the pack expires on the 25th"
    acme.uses(spent("late", 5, "0.25", day=4), now=datetime(2026, 12, 10, tzinfo=UTC))
    assert table()[4] == ("0.1", "0.25", "-0.15"), "the pack was gone when it came: overage at 0.02"


def test_a_late_event_in_time_for_the_pack_earns_on_its_day(acme: Actor, table: Callable[..., dict[int, Row]]) -> None:
    acme.uses(spent("late", 5, "0.25", day=3), now=at(20))
    assert table() == {3: ("3", "0.75", "2.25"), 25: ("17", "0", "17")}


def test_an_expired_pack(acme: Actor, table: Callable[..., dict[int, Row]]) -> None:
    assert table() == {3: ("2", "0.5", "1.5"), 25: ("18", "0", "18")}


def test_a_refund(acme: Actor, table: Callable[..., dict[int, Row]]) -> None:
    """Half the money and half the credits go back on the tenth: they had not been burned, so nothing earned is lost."""
    (pack,) = _packs(acme)
    goes_back(acme.row, pack.id, "10", at(10))
    assert table() == {3: ("2", "0.5", "1.5"), 25: ("8", "0", "8")}


def test_a_dispute_of_everything(acme: Actor, table: Callable[..., dict[int, Row]]) -> None:
    (pack,) = _packs(acme)
    goes_back(acme.row, pack.id, "20", at(10), kind="dispute")
    assert table() == {3: ("2", "0.5", "1.5"), 10: ("-2", "0", "-2")}


def test_a_re_rating_moves_the_days_of_its_calls_and_back(
    world: World, table: Callable[..., dict[int, Row]], api: Callable[..., Any]
) -> None:
    """1,000 tokens in and 100 out at $1,000 a million are $1.10; the corrected card says $2,000."""
    _card("1000", since=FIRST.replace(month=1))
    acme = Actor("acme", FIRST, world.plan("growth", price="30"))
    acme.uses(accounts.fact("a", at=at(3)), now=at(3))
    before = table()
    assert before[3] == ("1", "1.1", "-0.1")
    _card("2000", since=at(2))
    scope = ReratingScope(starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 1))
    done = apply(scope, reason="invoice 7", author="fin", now=at(10))
    assert table() == before | {3: ("1", "2.2", "-1.2")}
    (restated,) = api("/margins", **NOVEMBER).json()["restated"]
    assert (restated["day"], restated["inference_usd"], restated["calls"]) == ("2026-11-03", "1.1", 0)
    undo(done.pk, reason="wrong invoice", author="fin", now=at(11))
    assert table() == before
    assert api("/margins", **NOVEMBER).json()["restated"] == []


def test_a_plan_change_in_the_middle_of_a_day(world: World, table: Callable[..., dict[int, Row]]) -> None:
    """$30 a month until noon of the 16th, $300 from then on; support of $30 a month is the later plan's that day."""
    cost_line("support", "per_customer", "30")
    Actor("acme", FIRST, world.plan("small", price="30"))
    subscribe("acme", world.plan("large", price="300"), at(16))
    days = table()
    assert (days[15], days[16], days[17]) == (("1", "1", "0"), ("5.5", "1", "4.5"), ("10", "1", "9"))
    assert len(days) == 30


def _packs(acme: Actor) -> list[CreditGrant]:
    return list(CreditGrant.objects.filter(customer_id=acme.row.pk, paid__gt=0))


def _card(dollars: str, *, since: datetime) -> None:
    """A published card: so many dollars per million tokens, in and out alike."""
    card = CostCard.objects.create(model="gpt-4o-mini", effective_from=since)
    for kind in ("input_tokens", "output_tokens"):
        card.rates.create(kind=kind, rate_nanousd_per_million=int(dollars) * 10**9)
    card.status, card.published_at = CostCard.Status.PUBLISHED, since
    card.save()
