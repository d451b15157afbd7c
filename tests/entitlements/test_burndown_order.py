"""Which grant pays first, and how an amount is taken from several."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

import pytest

from entitlements.burndown import burn, burn_order
from tests.entitlements.burndown_cast import day, from_the_first, grant, left, used


@pytest.mark.parametrize(
    ("why", "first", "second"),
    [
        ("priority before expiry", {"priority": 1}, {"priority": 2, "expires_at": day(2)}),
        ("soonest expiry", {"expires_at": day(9)}, {"expires_at": day(10)}),
        ("no expiry last", {"expires_at": day(9999)}, {}),
        ("expiry before age", {"expires_at": day(9)}, {"expires_at": day(10), "created_at": day(-20)}),
        ("oldest", {"created_at": day(-20)}, {"created_at": day(-19)}),
        (
            "expiries of one second are one expiry",
            {"created_at": day(-20), "expires_at": day(9) + timedelta(milliseconds=900)},
            {"created_at": day(-19), "expires_at": day(9) + timedelta(milliseconds=100)},
        ),
        (
            "the next second is later",
            {"expires_at": day(9) - timedelta(milliseconds=1)},
            {"created_at": day(-20), "expires_at": day(9)},
        ),
    ],
)
def test_the_burn_order(why: str, first: dict[str, object], second: dict[str, object]) -> None:
    # The names are against the order, so that the id cannot be what decides.
    earlier, later = grant("z", **first), grant("a", **second)
    assert [burned.id for burned in burn_order([later, earlier])] == ["z", "a"], why


def test_the_id_decides_between_twins() -> None:
    twins = [grant(name) for name in ("c", "a", "b")]
    assert [twin.id for twin in burn_order(twins)] == ["a", "b", "c"]


class LedgerGrant(NamedTuple):
    """Like the ledger's rows: other fields, an id that is a UUID."""

    id: UUID
    priority: int
    expires_at: datetime | None
    created_at: datetime
    remaining_microcredits: int


def test_rows_of_the_ledger_burn_in_the_same_order() -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    last, first = LedgerGrant(UUID(int=1), 2, None, then, 5), LedgerGrant(UUID(int=2), 1, None, then, 7)
    rows = burn_order([last, first])
    assert burn([(row.id, row.remaining_microcredits) for row in rows], 10) == ([(first.id, 7), (last.id, 3)], 0)


@pytest.mark.parametrize(
    ("remaining", "amount", "burned", "unpaid"),
    [
        ([("a", 10), ("b", 10)], 4, [("a", 4)], 0),
        ([("a", 10), ("b", 10)], 10, [("a", 10)], 0),
        ([("a", 10), ("b", 10)], 11, [("a", 10), ("b", 1)], 0),
        ([("a", 0), ("b", 10)], 3, [("b", 3)], 0),
        ([("a", 10)], 12, [("a", 10)], 2),
        ([], 5, [], 5),
        ([("a", 10)], 0, [], 0),
    ],
)
def test_taking_an_amount(
    remaining: list[tuple[str, int]], amount: int, burned: list[tuple[str, int]], unpaid: int
) -> None:
    assert burn(remaining, amount) == (burned, unpaid)


def test_a_burn_stops_looking_once_paid() -> None:
    def remaining() -> Iterator[tuple[str, int]]:
        yield "a", 10
        raise AssertionError("looked at a grant it did not need")

    assert burn(remaining(), 9) == ([("a", 9)], 0)


def test_giving_back_is_not_a_burn() -> None:
    with pytest.raises(ValueError, match="negative"):
        burn([("a", 10)], -1)


def test_the_one_that_expires_first_is_found_among_thousands() -> None:
    grants = [grant(f"g{number}", expires_at=day(30)) for number in range(5_000)]
    grants[4_321] = grant("soon", expires_at=day(29))
    Random(3).shuffle(grants)
    result = from_the_first(*grants, events=(used(99, day(1.5)),), until=day(2))
    assert {name for name, rest in left(result).items() if rest != 100} == {"soon"}
    assert left(result)["soon"] == 1
