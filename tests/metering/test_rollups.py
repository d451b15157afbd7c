"""Rollups are what their events add up to: a recount finds what is not, and puts exactly that right."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from entitlements.models import Customer
from metering.events import SUMS
from metering.models import UsageDay, UsageMonth
from metering.rollups import differences, repair
from tests.accounts import fact
from tests.world import Actor, World, in_parallel


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def acme(world: World, now: datetime) -> Actor:
    """A customer whose rollups have seen a bit of everything."""
    actor = Actor("acme", now, world.pro)
    actor.uses(
        fact("e1", at=now),
        fact("e2", at=now, user_key="ann"),
        fact("e3", at=now, model="nobody-knows", provider=""),
        fact("e4", at=now, memoised=True),
        fact("e5", at=now - timedelta(days=40), reported_cost_nanousd=77),
        fact("e6", at=now, feature="export", model="", provider=""),
    )
    return actor


def recount(**scope: Any) -> list[str]:
    return [str(difference) for difference in differences(**scope)]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rebuild_rollups", *arguments, stdout=out)
    return out.getvalue()


def test_what_services_wrote_is_what_a_recount_gives(acme: Actor) -> None:
    assert UsageDay.objects.count() == 5
    assert UsageMonth.objects.count() == 4
    assert recount() == []


PLANTED: list[tuple[str, Callable[[], Any], list[str]]] = [
    (
        "a sum that moved",
        lambda: UsageDay.objects.filter(user_key="ann").update(cost_nanousd=1),
        ["cost_nanousd 1 instead of 210000"],
    ),
    (
        "a lost day",
        lambda: UsageDay.objects.filter(user_key="ann").delete(),
        ["missing"],
    ),
    (
        "a month of nothing",
        lambda: UsageMonth.objects.create(
            customer_id=Customer.objects.get().pk, month="2026-11-01", plan_version_id=0, feature_id=9, model="x"
        ),
        ["has no event"],
    ),
    (
        "two sums of a month",
        lambda: UsageMonth.objects.filter(month="2026-10-01").update(calls=2, reported_cost_nanousd=0),
        ["calls 2 instead of 1, reported_cost_nanousd 0 instead of 77"],
    ),
]


@pytest.mark.parametrize(("plant", "said"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_what_differs_is_named_and_put_right(acme: Actor, plant: Callable[[], Any], said: list[str]) -> None:
    before = snapshot_of_rollups()
    plant()
    assert [line.partition(": ")[2] for line in recount()] == said
    assert len(repair(acme.row.pk)) == len(said)
    assert recount() == []
    assert snapshot_of_rollups() == before


@pytest.mark.parametrize("column", SUMS)
def test_no_sum_is_left_out(acme: Actor, column: str) -> None:
    UsageDay.objects.filter(user_key="ann").update(**{column: 123_456})
    (difference,) = differences()
    assert f"{column} 123456 instead of" in str(difference)


def snapshot_of_rollups() -> list[dict[str, Any]]:
    return [
        row
        for model in (UsageDay, UsageMonth)
        for row in sorted(model.objects.values(), key=lambda row: str(sorted(row.items(), key=str)))
    ]


def test_a_customer_or_a_month_can_be_looked_at_alone(acme: Actor, world: World, now: datetime) -> None:
    other = Actor("other", now, world.pro)
    other.uses(fact("e1", at=now))
    UsageDay.objects.update(calls=9)
    assert len(recount(customer_id=other.row.pk)) == 1
    assert len(recount(month=(now - timedelta(days=40)).date())) == 1
    repair(acme.row.pk, month=now.date())
    assert len(recount(customer_id=acme.row.pk)) == 1
    assert len(recount(customer_id=other.row.pk)) == 1


def test_check_says_what_differs_and_changes_nothing(acme: Actor) -> None:
    assert "Every rollup is what its events add up to" in run("--check")
    UsageDay.objects.filter(user_key="ann").update(calls=7)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_rollups", "--check", "--customer", "acme", stdout=out)
    assert ended.value.code == 1
    assert "user_key=ann: calls 7 instead of 1" in out.getvalue()
    assert "acme: usage_day day=2026-11-15" in out.getvalue()
    assert UsageDay.objects.get(user_key="ann").calls == 7


def test_the_command_repairs_and_says_so(acme: Actor) -> None:
    UsageDay.objects.filter(user_key="ann").update(calls=7)
    said = run("--month", "2026-11")
    assert "calls 7 instead of 1" in said
    assert "Put right 1 rollup row of 1 customer." in said
    assert "nothing was changed" in run()


def test_requests_that_make_no_sense_are_refused(acme: Actor) -> None:
    with pytest.raises(CommandError, match="No customer has the key 'nobody'"):
        run("--customer", "nobody")
    with pytest.raises(CommandError, match="not a month"):
        run("--month", "November")


@pytest.mark.django_db(transaction=True)
def test_a_repair_loses_no_usage_that_is_counted_meanwhile(now: datetime) -> None:
    acme = Actor("acme", now, World().pro)
    acme.uses(fact("before", at=now))
    UsageDay.objects.update(calls=50)

    def do(number: int) -> object:
        return repair(acme.row.pk) if number % 4 == 0 else acme.uses(fact(f"e{number}", at=now))

    assert not [outcome for outcome in in_parallel(24, do) if isinstance(outcome, Exception)]
    assert recount() == []
    assert UsageDay.objects.get().calls == 19
