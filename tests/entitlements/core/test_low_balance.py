"""A balance that falls below its mark is told once for each fall."""

from datetime import datetime, timedelta

from entitlements.core.low_balance import notice_low
from tests.accounts import account, give
from tests.shop import CREDIT


def test_each_fall_below_the_mark_is_told_once(now: datetime) -> None:
    acme = account(low_below=20 * CREDIT)
    give(acme, 100, now=now)
    told: list[int] = []
    for minute, spent in enumerate((70, 10, 5, 5)):
        at = now + timedelta(minutes=minute)
        acme.charge(spent * CREDIT, overage_room=0, at=at, now=at, event=None)  # type: ignore[arg-type]
        notice_low([acme], at)
        told.append(len(acme.messages))
    assert told == [0, 0, 1, 1]
    assert acme.low_since == now + timedelta(minutes=2)
    assert acme.messages[0].payload == {"available": "15", "threshold": "20"}

    give(acme, 10, now=now, key="more")
    notice_low([acme], now + timedelta(minutes=5))
    assert acme.low_since is None

    acme.charge(1 * CREDIT, overage_room=0, at=now, now=now, event=None)  # type: ignore[arg-type]
    notice_low([acme], now + timedelta(minutes=6))
    assert (len(acme.messages), len({message.key for message in acme.messages})) == (2, 2)


def test_the_mark_itself_is_not_below_it(now: datetime) -> None:
    acme = account(low_below=20 * CREDIT)
    give(acme, 20, now=now)
    notice_low([acme], now)
    assert acme.messages == []


def test_each_fall_to_nothing_is_told_once(now: datetime) -> None:
    acme = account()
    give(acme, 10, now=now)
    told: list[int] = []
    for minute, (given, spent) in enumerate(((0, 9), (0, 1), (0, 5), (5, 0), (3, 0), (0, 8), (0, 1))):
        at = now + timedelta(minutes=minute)
        if given:
            give(acme, given, now=at, key=f"g{minute}")
        if spent:
            acme.charge(spent * CREDIT, overage_room=2 * CREDIT, at=at, now=at, event=None)  # type: ignore[arg-type]
        notice_low([acme], at)
        told.append(len(acme.messages))
    assert told == [0, 1, 1, 1, 1, 2, 2]
    assert {message.kind for message in acme.messages} == {"balance.exhausted"}
    assert [message.payload["available"] for message in acme.messages] == ["0", "-3"]


def test_what_was_never_there_is_not_exhausted(now: datetime) -> None:
    acme = account()
    acme.charge(1 * CREDIT, overage_room=0, at=now, now=now, event=None)  # type: ignore[arg-type]
    notice_low([acme], now)
    assert acme.messages == []


def test_without_a_mark_nothing_is_told(now: datetime) -> None:
    acme = account()
    notice_low([acme], now)
    assert (acme.messages, acme.dirty) == ([], False)
