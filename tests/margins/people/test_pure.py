"""Worked tables, by hand: concentration, the bridge, benchmarks, payback, depth."""

from datetime import date
from fractions import Fraction
from random import Random

import pytest

from margins.people.benchmarks import FeatureType, Standing, gap_points, standing
from margins.people.bridge import Bridge, Effects, Side, bridge
from margins.people.depth import Level, RunCost, levels
from margins.people.features import months_in
from margins.people.heavy import concentration, curve, share_of_user
from margins.people.payback import Payback, per_user_month
from margins.units import FEMTO_PER_UNIT

USD = FEMTO_PER_UNIT


def test_five_per_cent_of_users_who_hold_forty_per_cent_of_cost_are_found() -> None:
    """200 users: ten at 40, 190 at about 3.16 each: 400 of 1,000, however they are shuffled."""
    costs = [40_000] * 10 + [3_158] * 189 + [600_000 - 189 * 3_158]
    Random(7).shuffle(costs)
    found = concentration(costs)
    assert (found.people, found.cost) == (200, 1_000_000)
    assert [(top.percent, top.people, top.cost) for top in found.tops] == [
        (1, 2, 80_000),
        (5, 10, 400_000),
        (10, 20, 431_580),
    ]
    assert found.p95 == 3_158, "the 190th of 200 from below is the last light one"


@pytest.mark.parametrize(
    ("costs", "median", "p95", "tops"),
    [
        ([], 0, 0, [0, 0, 0]),
        ([7], 7, 7, [7, 7, 7]),
        ([1, 2, 3, 4], 2, 4, [4, 4, 4]),
        (list(range(1, 21)), 10, 19, [20, 20, 39]),
    ],
)
def test_ranks_are_nearest_and_a_part_of_a_person_is_one(
    costs: list[int], median: int, p95: int, tops: list[int]
) -> None:
    found = concentration(costs)
    assert (found.median, found.p95) == (median, p95)
    assert [top.cost for top in found.tops] == tops


def test_the_curve_starts_at_nobody_and_ends_at_everyone() -> None:
    assert curve([1, 5, 2]) == [(0, 0), (1, 5), (2, 7), (3, 8)]
    assert curve([]) == [(0, 0)]
    long = curve(list(range(1000)), points=10)
    assert len(long) == 11
    assert long[-1] == (1000, 499_500)


def test_a_flat_price_is_paid_by_head_and_use_by_use() -> None:
    """$30 a month for three users, $12 of overage: the one who charged three quarters of the credits brings 10 + 9."""
    parts = {"users": 3, "charged_of_all": 400}
    assert share_of_user(per_head=30, by_use=12, charged=300, **parts) == 19
    assert share_of_user(per_head=30, by_use=12, charged=100, **parts) == 13
    assert share_of_user(per_head=30, by_use=12, charged=0, **parts) == 10
    assert share_of_user(per_head=30, by_use=12, users=3, charged=0, charged_of_all=0) == 14


def only(found: Bridge[str]) -> Effects:
    assert found.effects.total == found.after.cost - found.before.cost
    return found.effects


def test_a_price_that_halves_is_price_alone() -> None:
    assert only(bridge({"a": Side(10, 100, 1_000)}, {"a": Side(10, 100, 500)})) == Effects(0, 0, 0, -500)


def test_twice_the_calls_are_volume_alone() -> None:
    before = {"a": Side(10, 100, 1_000), "b": Side(30, 60, 300)}
    after = {"a": Side(20, 200, 2_000), "b": Side(60, 120, 600)}
    assert only(bridge(before, after)) == Effects(1_300, 0, 0, 0)


def test_moving_calls_to_the_cheap_model_is_mix_alone() -> None:
    """Ten calls at 100 and ten at 10 become five and fifteen: 1,100 → 650."""
    before = {"dear": Side(10, 10, 1_000), "cheap": Side(10, 10, 100)}
    after = {"dear": Side(5, 5, 500), "cheap": Side(15, 15, 150)}
    assert only(bridge(before, after)) == Effects(0, -450, 0, 0)


def test_longer_answers_are_size_alone() -> None:
    assert only(bridge({"a": Side(10, 100, 1_000)}, {"a": Side(10, 150, 1_500)})) == Effects(0, 0, 500, 0)


def test_the_price_decline_is_split_from_everything_else() -> None:
    """A worked table. Before: 100 calls × 10 work at 2 = 2,000, and 100 × 5 at 1 = 500. After: 120 × 12 at 1.5 =
    2,160, and 130 × 5 at 1 = 650. Calls 200 → 250.

    Volume: 2,500 × 250/200 = 3,125, +625. Mix: 120 × 20 + 130 × 5 = 3,050, −75. Size: 120 × 12 × 2 + 650 = 3,530,
    +480. Price: 2,810, −720. Together +310.
    """
    before = {"dear": Side(100, 1_000, 2_000), "cheap": Side(100, 500, 500)}
    after = {"dear": Side(120, 1_440, 2_160), "cheap": Side(130, 650, 650)}
    found = bridge(before, after)
    assert only(found) == Effects(625, -75, 480, -720)
    assert found.items["dear"][2] == Effects(500, -100, 480, -720)
    assert found.items["cheap"][2] == Effects(125, 25, 0, 0)


def test_a_new_model_has_no_old_price_and_is_mix() -> None:
    found = bridge({"old": Side(10, 10, 100)}, {"new": Side(10, 10, 40)})
    assert found.items["new"][2] == Effects(0, 40, 0, 0)
    assert found.items["old"][2] == Effects(0, -100, 0, 0)
    assert only(bridge({}, {"new": Side(10, 10, 40)})) == Effects(40, 0, 0, 0)
    assert only(bridge({"old": Side(10, 10, 100)}, {})) == Effects(-100, 0, 0, 0)


def test_effects_sum_to_the_difference_to_the_last_unit() -> None:
    random = Random(11)
    for _ in range(300):
        before, after = (
            {
                str(item): Side(random.randrange(50), random.randrange(999), random.randrange(10**9))
                for item in range(random.randrange(6))
            }
            for _ in range(2)
        )
        found = bridge(before, after)
        only(found)
        for old, new, effects in found.items.values():
            assert effects.total == new.cost - old.cost


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (None, None),
        ("-0.01", Standing.LOSS),
        ("0.519999", Standing.BELOW_AI_NATIVE),
        ("0.52", Standing.AI_NATIVE),
        ("0.749999", Standing.AI_NATIVE),
        ("0.75", Standing.CLASSIC),
        ("0.85", Standing.CLASSIC),
        ("0.850001", Standing.ABOVE_CLASSIC),
    ],
)
def test_a_margin_stands_among_the_benchmarks(ratio: str | None, expected: Standing | None) -> None:
    assert standing(ratio) == expected


def test_the_gap_is_to_the_benchmark_of_the_features_type() -> None:
    assert gap_points("0.6", FeatureType.AI) == "8.0"
    assert gap_points("0.6", FeatureType.CLASSIC) == "-15.0"
    assert gap_points(None, FeatureType.AI) is None


def test_eighteen_dollars_against_twenty_five_pays() -> None:
    paid = Payback(18 * USD, 25 * USD, users=50, investment=7_000 * USD)
    assert (paid.net, paid.pays, paid.benefit_per_cost) == (7 * USD, True, "1.388889")
    assert paid.months == "20", "7,000 at 7 × 50 a month"
    lossy = Payback(26 * USD, 25 * USD, users=50, investment=7_000 * USD)
    assert (lossy.pays, lossy.months) == (False, None)
    assert Payback(0, 25, users=0).months is None


def test_cost_per_user_and_month_counts_calendar_months() -> None:
    assert months_in(date(2026, 11, 1), date(2026, 12, 1)) == 1
    assert months_in(date(2026, 11, 16), date(2026, 12, 1)) == Fraction(1, 2)
    assert months_in(date(2026, 1, 17), date(2026, 3, 15)) == Fraction(15, 31) + 1 + Fraction(14, 31)
    assert months_in(date(2026, 11, 1), date(2026, 11, 1)) == 0
    assert per_user_month(90, users=5, months=Fraction(1, 2)) == 36
    assert per_user_month(90, users=0, months=Fraction(1)) == per_user_month(90, users=1, months=Fraction(0)) == 0


def test_a_tree_of_eight_cents_at_depth_one_shows_what_depth_four_cost() -> None:
    """Two calls of $0.04 outside; each level inside runs two agents of $0.08: 0.08, 0.24, 0.56, 1.20 in all."""
    cent = 10_000_000
    tree = [
        RunCost(
            path,
            [path[:depth] for depth in range(1, len(path))],
            2 * (2 ** (5 - len(path)) - 1),
            8 * cent * (2 ** (5 - len(path)) - 1),
        )
        for path in (
            "a",
            "ab",
            "ac",
            *("abd", "abe", "acd", "ace"),
            *(f"a{b}{c}{d}" for b in "bc" for c in "de" for d in "fg"),
        )
    ]
    assert levels(tree) == [
        Level(1, 1, 2, 8 * cent, 8 * cent),
        Level(2, 2, 4, 16 * cent, 24 * cent),
        Level(3, 4, 8, 32 * cent, 56 * cent),
        Level(4, 8, 16, 64 * cent, 120 * cent),
    ]


def test_levels_of_nothing_and_of_a_run_whose_tree_is_not_looked_at() -> None:
    assert levels([]) == []
    assert levels([RunCost("inside", ["elsewhere"], 1, 5)]) == []
