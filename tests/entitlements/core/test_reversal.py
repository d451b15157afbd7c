"""Credits whose payment went back: worked numbers, and that nothing is ever taken twice or given twice."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from entitlements.core import holds
from entitlements.core.account import Account, GrantState
from entitlements.core.reversal import Moved, give_back, take_back
from entitlements.core.settle import LeaseWanted, acquire
from entitlements.core.timeline import bring_up_to_date
from entitlements.core.words import Bucket, EntryKind
from kernel.ids import key_digest
from tests.accounts import account, give, ledger_sums
from tests.shop import CREDIT, catalogue

NOON = datetime.fromisoformat("2026-11-15T12:00:00Z")
DAY = timedelta(days=1)


def burns(acme: Account, credits: int, now: datetime = NOON) -> None:
    acme.charge(credits * CREDIT, overage_room=0, at=now, now=now, event=None)  # type: ignore[arg-type]


def credits(moved: Moved) -> tuple[float, float]:
    return moved.unburned / CREDIT, moved.burned / CREDIT


def took(acme: Account, pack: GrantState, credits_: int, *, burned: int, now: datetime = NOON) -> Moved:
    return take_back(acme, pack, credits_ * CREDIT, burned=burned * CREDIT, now=now)


def assert_explained(acme: Account) -> None:
    assert ledger_sums(acme) == {1: acme.posted, 2: -acme.debt, 3: -acme.overage}
    assert acme.posted == sum(grant.remaining for grant in acme.grants if grant.activated_at)
    assert acme.free == 0 or acme.debt == 0


def test_forty_percent_of_a_pack_half_burned_comes_from_what_is_left(now: datetime) -> None:
    acme = account()
    pack = give(acme, 1000, now=now)
    burns(acme, 500)
    assert credits(took(acme, pack, 400, burned=500)) == (400, 0)
    assert (acme.available, acme.debt) == (100 * CREDIT, 0)
    assert_explained(acme)


def test_the_rest_of_it_becomes_debt_and_blocks(now: datetime) -> None:
    acme = account()
    pack = give(acme, 1000, now=now)
    burns(acme, 500)
    assert credits(took(acme, pack, 1000, burned=500)) == (500, 500)
    assert (acme.posted, acme.debt, acme.available) == (0, 500 * CREDIT, -500 * CREDIT)
    assert pack.closed_at == now
    assert_explained(acme)


def test_other_credits_pay_for_what_was_burned(now: datetime) -> None:
    acme = account()
    pack = give(acme, 100, now=now)
    burns(acme, 100)
    give(acme, 300, now=now, key="another")
    assert credits(took(acme, pack, 100, burned=100)) == (0, 100)
    assert (acme.available, acme.debt) == (200 * CREDIT, 0)
    assert_explained(acme)


def test_what_expired_was_not_enjoyed_and_is_not_owed(now: datetime) -> None:
    acme = account()
    pack = give(acme, 100, now=now, expires_at=now + DAY)
    burns(acme, 30)
    bring_up_to_date(acme, catalogue(), now + DAY)
    assert credits(took(acme, pack, 100, burned=30, now=now + DAY)) == (0, 30)
    assert acme.available == -30 * CREDIT
    assert_explained(acme)


def test_what_a_hold_claims_is_owed_until_the_hold_ends(now: datetime) -> None:
    acme = account()
    pack = give(acme, 100, now=now)
    wanted = LeaseWanted("lease", key_digest("lease"), key_digest("body"), "chat", 60 * CREDIT, 600)
    placed, _ = acquire(acme, wanted, catalogue(), now)
    assert credits(took(acme, pack, 100, burned=0)) == (40, 60)
    assert (acme.posted, acme.held, acme.debt) == (60 * CREDIT, 60 * CREDIT, 60 * CREDIT)
    holds.void(acme, placed, now)
    assert (acme.posted, acme.held, acme.debt) == (0, 0, 0)
    assert_explained(acme)


def test_a_dispute_won_forgives_the_debt_it_made(now: datetime) -> None:
    acme = account()
    pack = give(acme, 100, now=now)
    burns(acme, 70)
    taken = took(acme, pack, 100, burned=70)
    assert credits(give_back(acme, pack, taken, now=now)) == (30, 70)
    assert (acme.available, acme.debt, pack.remaining, pack.closed_at) == (30 * CREDIT, 0, 30 * CREDIT, None)
    assert_explained(acme)


def test_debt_paid_meanwhile_comes_back_as_credits(now: datetime) -> None:
    acme = account()
    pack = give(acme, 100, now=now)
    burns(acme, 100)
    taken = took(acme, pack, 100, burned=100)
    give(acme, 250, now=now, key="another")
    assert acme.available == 150 * CREDIT
    assert credits(give_back(acme, pack, taken, now=now)) == (100, 0)
    assert acme.available == 250 * CREDIT
    assert_explained(acme)


def test_what_would_have_expired_meanwhile_expires(now: datetime) -> None:
    acme = account()
    pack = give(acme, 100, now=now, expires_at=now + DAY)
    taken = took(acme, pack, 100, burned=0)
    bring_up_to_date(acme, catalogue(), now + DAY)
    give_back(acme, pack, taken, now=now + DAY)
    assert acme.available == 0
    assert [row.kind for row in acme.ledger][-2:] == [EntryKind.RESTORED, EntryKind.EXPIRE]
    assert_explained(acme)


@given(
    pack=st.integers(1, 50),
    other=st.integers(0, 50),
    steps=st.lists(st.tuples(st.sampled_from(["burn", "take", "give"]), st.integers(1, 60)), max_size=12),
)
def test_any_order_of_taking_and_giving_is_explained(pack: int, other: int, steps: list[tuple[str, int]]) -> None:
    acme = account()
    bought = give(acme, pack, now=NOON)
    if other:
        give(acme, other, now=NOON, key="other")
    outstanding: list[Moved] = []
    for what, amount in steps:
        if what == "burn":
            burns(acme, amount)
        elif what == "take":
            room = pack * CREDIT - sum(moved.unburned + moved.burned for moved in outstanding)
            moved = take_back(acme, bought, min(amount * CREDIT, room), burned=burned(acme, bought), now=NOON)
            assert moved.unburned + moved.burned == min(amount * CREDIT, room)
            outstanding.append(moved)
        elif outstanding:
            taken = outstanding.pop()
            given = give_back(acme, bought, taken, now=NOON)
            assert given.unburned + given.burned == taken.unburned + taken.burned
        assert_explained(acme)
    assert 0 <= bought.remaining <= bought.amount


def burned(acme: Account, grant: GrantState) -> int:
    of = [row for row in acme.ledger if row.grant_id == grant.id]
    burns = sum(row.amount_microcredits for row in of if row.kind == EntryKind.BURN)
    owed = sum(row.amount_microcredits for row in of if row.bucket == Bucket.DEBT)
    return owed - burns
