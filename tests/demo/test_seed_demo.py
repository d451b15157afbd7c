"""The demo company in a database: whole or not at all, explained by its ledger, and with its stories."""

import json
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db.models import Sum

from access.key_cache import SELECT_ACTIVE, KeyRing
from access.models import ApiKey
from demo import seeding
from demo.company import company
from demo.seeding import NotEmpty, seed
from entitlements.models import Balance, CreditGrant, Customer, EntryKind, LedgerEntry, Run, Subscription
from entitlements.services.customers import upsert_customer
from entitlements.store.reference import django_reference
from kernel.clock import utc_now
from margins.models import FeatureBenefit
from margins.people.trees import depth_of_trees
from margins.period import Period
from margins.queries.margins import Dimension, Scope, margin_rows
from metering.models import UsageDay, UsageEvent
from plans.models import Plan
from tests.world import assert_ledger_explains, in_parallel

UNTIL = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SMALL: dict[str, Any] = {"customers": 12, "days": 10, "events": 600}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def credentials(folder: Path) -> dict[str, str]:
    read: dict[str, str] = json.loads((folder / "demo-credentials.json").read_text())
    return read


@pytest.mark.django_db
def test_an_empty_database_becomes_a_company_that_adds_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_demo", if_empty=True, **SMALL)
    assert Customer.objects.count() == 12
    assert UsageEvent.objects.count() == UsageDay.objects.aggregate(calls=Sum("calls"))["calls"] == 600
    for customer in Customer.objects.all():
        assert_ledger_explains(customer.pk)
    said = capsys.readouterr().out
    assert "losses first" in said
    assert "hungry-otter-games" in said


@pytest.mark.django_db
def test_agents_and_what_features_earn_are_there_to_be_seen() -> None:
    seed(company(UNTIL, seed=1, **SMALL), lambda _: None, also=lambda: None)
    days = Period(UNTIL.date() - timedelta(days=10), UNTIL.date() + timedelta(days=1))
    calls = UsageEvent.objects.exclude(run_key="").count()
    trees = depth_of_trees(days)
    assert calls == sum(tree.steps for tree in trees) > 0
    assert [tree.depth for tree in trees] == [1, 2, 3]
    assert trees[0].per_tree_nanousd < trees[-1].per_tree_nanousd
    assert Run.objects.filter(status=Run.Status.OPEN).count() < Run.objects.count() / 10
    assert {one.feature.key for one in FeatureBenefit.objects.all()} == {"summarise-documents", "code-agent"}


@pytest.mark.django_db
def test_its_key_and_login_work_and_are_for_our_eyes_only(folder: Path, django_cursor: Any) -> None:
    call_command("seed_demo", **SMALL)
    given = credentials(folder)
    for name in ("demo-credentials.json", "welcome.txt"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    staff = authenticate(username=given["staff_user"], password=given["staff_password"])
    assert staff is not None
    assert staff.is_superuser  # type: ignore[attr-defined]
    django_cursor.execute(SELECT_ACTIVE)
    key = KeyRing.from_rows(django_cursor.fetchall()).authenticate(f"Bearer {given['api_key']}")
    assert all(key.may(scope) for scope in ("check", "usage", "read", "admin"))
    assert f"Bearer {given['api_key']}" in (folder / "welcome.txt").read_text()


@pytest.fixture
def django_cursor(db: None) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        yield cursor


@pytest.mark.django_db
def test_a_second_start_leaves_everything_as_it_is(folder: Path) -> None:
    call_command("seed_demo", if_empty=True, **SMALL)
    before = (credentials(folder), UsageEvent.objects.count(), LedgerEntry.objects.count(), ApiKey.objects.count())
    call_command("seed_demo", if_empty=True)
    assert before == (
        credentials(folder), UsageEvent.objects.count(), LedgerEntry.objects.count(), ApiKey.objects.count(),
    )  # fmt: skip


@pytest.mark.django_db
def test_lost_credentials_are_issued_anew(folder: Path) -> None:
    call_command("seed_demo", if_empty=True, **SMALL)
    lost = credentials(folder)
    (folder / "demo-credentials.json").unlink()
    call_command("seed_demo", if_empty=True)
    found = credentials(folder)
    assert found["api_key"] != lost["api_key"]
    assert authenticate(username=found["staff_user"], password=found["staff_password"]) is not None
    assert authenticate(username=lost["staff_user"], password=lost["staff_password"]) is None


@pytest.mark.django_db
def test_somebodys_customers_are_left_alone(folder: Path) -> None:
    upsert_customer("acme", {}, utc_now())
    call_command("seed_demo", if_empty=True)
    with pytest.raises(CommandError, match="needs an empty database"):
        call_command("seed_demo")
    assert [customer.key for customer in Customer.objects.all()] == ["acme"]
    assert not Plan.objects.exists()
    assert not list(folder.iterdir())


@pytest.mark.django_db(transaction=True)
def test_a_crash_half_way_leaves_nothing_and_the_next_start_makes_it_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_many, calls = seeding.record_many, 0

    def crashing(items: Sequence[Any], now: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyboardInterrupt
        return record_many(items, now)

    monkeypatch.setattr(seeding, "record_many", crashing)
    with pytest.raises(KeyboardInterrupt):
        call_command("seed_demo", if_empty=True, **SMALL)
    assert not Customer.objects.exists()
    assert not Plan.objects.exists()
    assert not (folder / "demo-credentials.json").exists()
    django_reference.forget()  # the next start is another process
    call_command("seed_demo", if_empty=True, **SMALL)
    assert UsageEvent.objects.count() == 600
    assert (folder / "demo-credentials.json").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_makes_the_company() -> None:
    made = company(utc_now(), customers=3, days=3, events=40, seed=1)

    def nothing(*_: int) -> None:
        pass

    outcomes = in_parallel(2, lambda _: seed(made, nothing, also=nothing))
    assert sorted(type(outcome) for outcome in outcomes if outcome is not None) == [NotEmpty]
    assert UsageEvent.objects.count() == 40


@pytest.mark.parametrize("wrong", [{"events": 0}, {"days": 400}, {"customers": -1}])
@pytest.mark.django_db
def test_sizes_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="must be from 1 to"):
        call_command("seed_demo", **(SMALL | wrong))


@pytest.fixture(scope="module")
def whole_demo(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo as `make run` makes it, once for the tests of its stories, undone afterwards."""
    from django.db import transaction

    class Undone(Exception):
        pass

    with django_db_blocker.unblock():
        try:
            with transaction.atomic():
                made = company(UNTIL, customers=40, days=30, events=40_000, seed=1)
                seed(made, lambda _: None, also=lambda: None)
                yield made
                raise Undone
        except Undone:
            pass


def balance(key: str) -> Balance:
    return Balance.objects.get(customer_id=Customer.objects.get(key=key).pk)


@pytest.mark.slow
def test_the_stories_are_there_to_be_seen(whole_demo: Any, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        scope = Scope(whole_demo.start.date(), whole_demo.until.date() + timedelta(days=1))
        rows = margin_rows(scope, [Dimension.CUSTOMER], now=whole_demo.until)
        margins = {str(row.key[0]): row.margin for row in rows}
        losses = {key: margin.gross_margin or 0 for key, margin in margins.items() if (margin.gross_margin or 0) < 0}

        assert min(losses, key=losses.__getitem__) == "hungry-otter-games"
        hungry = margins["hungry-otter-games"]
        assert hungry.own.total_cogs > 2 * hungry.own.total_revenue > 0
        assert sum(margin.gross_margin or 0 for margin in margins.values()) > 0
        assert 3 <= len(losses) <= 12

        assert balance("borealis-bank").overage_microcredits > 0
        in_debt = Balance.objects.filter(debt_microcredits__gt=0)
        assert in_debt.get() == balance("kestrel-legal")
        assert CreditGrant.objects.filter(source="top_up", paid__gt=0).count() >= 2
        assert LedgerEntry.objects.filter(kind=EntryKind.EXPIRE).exists()
        assert 0 < margins["early-bird-labs"].usage.unpriced_calls < 60
        assert margins["copperline-robotics"].own.total_revenue > 0
        assert Subscription.objects.filter(ended_at__isnull=False).count() == 2
        plans = set(Subscription.objects.filter(ended_at=None).values_list("plan_version__plan__key", flat=True))
        assert plans == {"free", "flat", "pro", "pro-yearly", "team", "scale", "pay-as-you-go"}
