"""How long credits last, from nothing but numbers."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from portal.charts import NARROW, WIDE, Bar, Reading, bars, burn_down
from portal.outlook import DAY, Lot, Point, burn_per_day, outlook
from portal.queries.position import position_of
from tests.accounts import fact
from tests.world import CREDIT, Actor

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
YEAR = NOW + 366 * DAY
TEN = Fraction(10)


def test_credits_last_as_long_as_the_burn_says() -> None:
    found = outlook([Lot(100, None)], 0, TEN, now=NOW, until=YEAR)
    assert found.runs_out_at == NOW + 10 * DAY
    assert found.points == [Point(NOW, 100), Point(NOW + 10 * DAY, 0), Point(YEAR, 0)]


def test_what_expires_does_not_last() -> None:
    lots = [Lot(100, NOW + 4 * DAY), Lot(50, None)]
    found = outlook(lots, 0, TEN, now=NOW, until=YEAR)
    assert found.runs_out_at == NOW + 9 * DAY, "60 of the first expire on the fourth day"
    assert found.points[:3] == [Point(NOW, 150), Point(NOW + 4 * DAY, 110), Point(NOW + 4 * DAY, 50)]


def test_everything_expiring_is_running_out() -> None:
    assert outlook([Lot(1000, NOW + DAY)], 0, TEN, now=NOW, until=YEAR).runs_out_at == NOW + DAY


def test_what_is_held_or_owed_is_not_there_to_burn() -> None:
    assert outlook([Lot(100, None)], 40, TEN, now=NOW, until=YEAR).runs_out_at == NOW + 6 * DAY
    assert outlook([Lot(100, None)], 150, TEN, now=NOW, until=YEAR).runs_out_at == NOW


def test_without_burn_nothing_runs_out_but_by_expiry() -> None:
    assert outlook([Lot(100, None)], 0, Fraction(0), now=NOW, until=YEAR).runs_out_at is None
    assert outlook([Lot(100, NOW + DAY)], 0, Fraction(0), now=NOW, until=YEAR).runs_out_at == NOW + DAY
    assert outlook([], 0, TEN, now=NOW, until=YEAR).runs_out_at == NOW


def test_it_looks_no_further_than_asked() -> None:
    found = outlook([Lot(100, None)], 0, TEN, now=NOW, until=NOW + 3 * DAY)
    assert (found.runs_out_at, found.points[-1]) == (None, Point(NOW + 3 * DAY, 70))
    assert outlook([Lot(100, None)], 0, TEN, now=NOW, until=NOW).points == [Point(NOW, 100)]


@pytest.mark.parametrize(("days", "expected"), [(7, Fraction(10)), (1, Fraction(70)), (0.01, Fraction(70))])
def test_the_burn_is_what_was_used_over_the_days_it_took(days: float, expected: Fraction) -> None:
    assert burn_per_day(70, NOW - timedelta(days=days), NOW) == expected


def drawn(past: list[Reading], ahead: list[Reading]) -> str:
    return burn_down(
        past, ahead, size=WIDE, start=NOW, end=NOW + 10 * DAY, title="<Left>", description="a & b",
        amount_text=str, day_text=lambda at: f"{at:%d}",
    )  # fmt: skip


def test_the_chart_draws_what_was_and_what_will_be() -> None:
    svg = drawn(
        [Reading(NOW, 100), Reading(NOW + 5 * DAY, 40)], [Reading(NOW + 5 * DAY, 40), Reading(NOW + 9 * DAY, 0)]
    )
    assert 'class="chart-left" points="56,14 462,146"' in svg
    assert 'class="chart-ahead"' in svg
    assert "&lt;Left&gt;" in svg
    assert "a &amp; b" in svg


def test_debt_is_drawn_below_the_zero_line() -> None:
    svg = drawn([Reading(NOW, 50), Reading(NOW + DAY, -50)], [])
    assert 'class="chart-zero" x1="56" x2="868" y1="124" y2="124"' in svg


@pytest.mark.parametrize("amounts", [[], [0, 0], [1], [10**15, 3]])
def test_a_chart_of_anything_is_drawn(amounts: list[int]) -> None:
    assert drawn([Reading(NOW, amount) for amount in amounts], []).endswith("</svg>")
    days = [Bar("1 Nov", amount, f"<{amount}>") for amount in amounts]
    assert bars(days, size=NARROW, title="t", description="d", amount_text=str).count("chart-bar") == len(amounts)


@pytest.mark.django_db
def test_the_line_begins_with_what_the_renewal_gave_and_ends_with_what_there_is(acme: Actor, now: datetime) -> None:
    acme.uses(fact("e1", at=now, stated_microcredits=10 * CREDIT))
    later = now + timedelta(hours=5)
    acme.spends(20, key="e2", now=later)
    readings = position_of(acme.row, later).readings
    assert readings[0] == Reading(now, 100 * CREDIT)
    assert readings[-1] == Reading(later, 70 * CREDIT)
    assert [reading.at for reading in readings] == sorted(reading.at for reading in readings)
