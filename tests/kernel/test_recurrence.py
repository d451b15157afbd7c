"""Periods and recurrences against the calendar on the wall."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.recurrence import BadInterval, Recurrence, occurrences, parse_interval, period_at


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("anchor", "interval", "expected"),
    [
        ("2026-01-31", "month", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2028-01-30", "P1M", ["2028-01-30", "2028-02-29", "2028-03-30"]),
        ("2028-02-29", "year", ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("2026-11-30", "P3M", ["2026-11-30", "2027-02-28", "2027-05-30"]),
        ("2028-02-28", "day", ["2028-02-28", "2028-02-29", "2028-03-01"]),
        ("2026-12-28", "week", ["2026-12-28", "2027-01-04"]),
        ("2026-10-25", "PT1H", ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"]),
        ("2026-01-31", "P1M1D", ["2026-01-31", "2026-03-01", "2026-04-02"]),
    ],
)
def test_occurrences_are_counted_from_the_anchor(anchor: str, interval: str, expected: list[str]) -> None:
    start = instant(anchor)
    found = list(islice(occurrences(start, interval, start), len(expected)))
    assert found == [instant(text) for text in expected]


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2026-02-27T23:59:59.999999", "2026-01-31T09:30", "2026-02-28T09:30"),
        ("2026-02-28T09:29:59.999999", "2026-01-31T09:30", "2026-02-28T09:30"),
        ("2026-02-28T09:30", "2026-02-28T09:30", "2026-03-31T09:30"),
        ("2026-03-30", "2026-02-28T09:30", "2026-03-31T09:30"),
        ("2026-01-31T09:30", "2026-01-31T09:30", "2026-02-28T09:30"),
        ("2036-02-29T12:00", "2036-02-29T09:30", "2036-03-31T09:30"),
    ],
)
def test_a_billing_period_starts_at_its_first_instant_and_ends_before_the_next(at: str, start: str, end: str) -> None:
    assert period_at(instant("2026-01-31T09:30"), "month", instant(at)) == (instant(start), instant(end))


def test_periods_reach_back_before_the_anchor() -> None:
    anchor = instant("2026-03-31")
    assert period_at(anchor, "month", instant("2026-02-10")) == (instant("2026-01-31"), instant("2026-02-28"))
    assert period_at(anchor, "P1D", instant("2025-12-31T23:00")) == (instant("2025-12-31"), instant("2026-01-01"))


def test_a_recurrence_starts_at_the_first_instant_that_is_not_before() -> None:
    monthly = Recurrence("month", instant("2026-01-31"))
    assert next(monthly.since(instant("2026-02-28"))) == instant("2026-02-28")
    assert next(monthly.since(instant("2026-02-28T00:00:00.000001"))) == instant("2026-03-31")
    assert next(monthly.since(instant("2025-11-01"))) == instant("2025-11-30")


@pytest.mark.parametrize(
    ("word", "duration"), [("hour", "PT1H"), ("day", "P1D"), ("week", "P7D"), ("month", "P1M"), ("year", "P12M")]
)
def test_words_are_durations(word: str, duration: str) -> None:
    assert parse_interval(word) == parse_interval(duration)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "P0D", "PT0S", "P-1D", "P1.5D", "1D", "p1d", "P1D ", "fortnight", "P1H", "P٣D"]
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(BadInterval):
        parse_interval(text)


instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
intervals = st.sampled_from(["PT1H", "day", "week", "month", "P5M", "year", "P1M10D", "P400D"])


@given(instants, intervals, instants)
def test_periods_tile_the_time_without_gap_or_overlap(anchor: datetime, interval: str, at: datetime) -> None:
    start, end = period_at(anchor, interval, at)
    assert start <= at < end
    assert period_at(anchor, interval, start) == (start, end)
    assert period_at(anchor, interval, start - timedelta(microseconds=1))[1] == start
    assert period_at(anchor, interval, end)[0] == end
