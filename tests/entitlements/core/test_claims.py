"""What open holds have a claim on outlives its grant, and not by more than the hold."""

from datetime import datetime, timedelta

from entitlements.core import holds
from entitlements.core.account import Account, HoldState
from entitlements.core.settle import LeaseWanted, acquire
from entitlements.core.timeline import bring_up_to_date
from entitlements.core.words import EntryKind
from kernel.ids import body_digest, key_digest
from tests.accounts import account, give, subscribed
from tests.shop import CREDIT, catalogue, plan

MINUTE = timedelta(minutes=1)


def lease(acme: Account, credits: int, *, until: datetime, now: datetime) -> HoldState:
    wanted = LeaseWanted("l1", key_digest("l1"), body_digest("l1"), "chat", credits * CREDIT, (until - now).seconds)
    return acquire(acme, wanted, catalogue(), now)[0]


def test_a_voided_grant_under_a_hold_is_written_as_voided_and_taken_when_the_hold_ends(now: datetime) -> None:
    acme = account()
    grant = give(acme, 5, now=now)
    held = lease(acme, 5, until=now + MINUTE, now=now)
    acme.touched.clear()
    acme.void(grant, now=now)
    assert acme.touched == {grant.id: grant}
    assert (grant.voided_at, acme.posted) == (now, 5 * CREDIT)
    holds.void(acme, held, now + timedelta(seconds=30))
    assert acme.posted == 0
    assert grant.voided_at == now


def test_what_is_taken_back_late_is_dated_when_the_hold_ended_and_recorded_when_it_was_noticed(now: datetime) -> None:
    acme = account()
    grant = give(acme, 5, now=now)
    lease(acme, 5, until=now + MINUTE, now=now)
    acme.void(grant, now=now)
    bring_up_to_date(acme, catalogue(), now + 9 * MINUTE)
    taken = acme.ledger[-1]
    assert (taken.kind, taken.effective_at, taken.recorded_at) == (EntryKind.VOID, now + MINUTE, now + 9 * MINUTE)


def test_an_allowance_freed_by_a_hold_that_ends_with_it_still_rolls_over(now: datetime) -> None:
    rolling = plan(allowance_renewal="day", rollover_max_microcredits=30 * CREDIT)
    acme = subscribed(rolling, now=now - timedelta(hours=23, minutes=59))
    lease(acme, 100, until=now + MINUTE, now=now)
    bring_up_to_date(acme, catalogue(rolling), now + MINUTE)
    assert acme.available == 130 * CREDIT
