"""Limits count in windows, and a window never starts over backwards."""

from datetime import datetime, timedelta

from entitlements.core.limits import Draw, Use, count, exceeded
from plans.terms import LimitTerms
from tests.accounts import account

HOURLY = LimitTerms(1, "brake", "customer", None, None, None, "calls", "hour", "hard", 10, ())
CALL = Draw(calls=1, credits=0, cost=0, tokens=0)
ANYONE = Use(feature_id=1, tier_id=None)


def test_a_batch_that_was_stamped_before_the_hour_but_comes_after_it_counts_in_the_new_hour(now: datetime) -> None:
    acme = account()
    hour = now + timedelta(hours=1)
    for _ in range(9):
        count(acme, (HOURLY,), ANYONE, CALL, at=hour, now=hour)
    late = hour - timedelta(milliseconds=3)
    count(acme, (HOURLY,), ANYONE, CALL, at=late, now=late)
    count(acme, (HOURLY,), ANYONE, CALL, at=hour, now=hour)
    assert acme.counters["", "brake"].used >= 10
    assert [hit.used for hit in exceeded(acme, (HOURLY,), ANYONE, CALL, late, {})] == [acme.counters["", "brake"].used]


def test_a_new_hour_starts_over(now: datetime) -> None:
    acme = account()
    for _ in range(10):
        count(acme, (HOURLY,), ANYONE, CALL, at=now, now=now)
    assert list(exceeded(acme, (HOURLY,), ANYONE, CALL, now, {}))
    assert not list(exceeded(acme, (HOURLY,), ANYONE, CALL, now + timedelta(hours=1), {}))


def test_an_event_of_an_earlier_hour_is_not_this_hours(now: datetime) -> None:
    acme = account()
    count(acme, (HOURLY,), ANYONE, CALL, at=now - timedelta(hours=2), now=now)
    assert ("", "brake") not in acme.counters
