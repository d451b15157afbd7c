"""The audit finds nothing where services and gate have been at work, and each planted corruption, by its own check."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from entitlements.audit import CHECKS, all_checks, audit
from entitlements.audit.rebuilding import rebuild_stored
from entitlements.core.words import EntryKind
from entitlements.models import Balance, CreditGrant, Customer, Hold, LedgerEntry, LimitCounter, Run
from entitlements.services.subscriptions import subscribe
from metering.models import ArchivedUsageDay
from tests.entitlements.audit_cast import company
from tests.entitlements.audit_corruptions import CORRUPTIONS, Corruption
from tests.world import CREDIT, Actor, World

NOW = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
TABLES = (
    *("balance", "credit_grant", "ledger_entry", "usage_event", "usage_tombstone", "archived_usage_day", "hold", "run"),
    "cost_adjustment",
    *("limit_counter", "subscription", "plan_version", "decision", "cache_revision"),
)


@pytest.fixture
def busy(db: None, tmp_path: Path) -> None:
    company(NOW, tmp_path)
    # The tests' own setting lets tables be emptied between tests.
    execute("SET CONSTRAINTS ALL IMMEDIATE", "ALTER TABLE ledger_entry ENABLE TRIGGER ledger_is_not_truncated")


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format_map(Ids()))


class Ids(dict[str, int]):
    """``{acme}`` in a statement is that customer's id."""

    def __missing__(self, key: str) -> int:
        return Customer.objects.get(key=key).pk


def plant(*statements: str) -> None:
    """Do what no service would and the triggers would refuse."""
    execute("SET CONSTRAINTS ALL IMMEDIATE", *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES))
    execute(*statements)
    execute("SET CONSTRAINTS ALL IMMEDIATE", *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES))


def findings(**scope: int) -> dict[str, set[str | None]]:
    return {each.check.name: {fault.customer for fault in each.faults} for each in audit(**scope) if each.found}


def test_what_services_and_gate_have_done_keeps_every_promise(busy: None) -> None:
    outcomes = audit()
    assert {each.check.name: each.faults for each in outcomes if each.found} == {}
    assert [each.check.name for each in outcomes if not each.examined and each.check in CHECKS] == []


def test_the_company_is_in_every_state_there_is(busy: None) -> None:
    """Else the test above would prove less than it says."""
    assert {row.status for row in Hold.objects.all()} == {1, 2, 3}
    assert set(LedgerEntry.objects.values_list("kind", flat=True)) == set(EntryKind) - {EntryKind.REFUND}
    assert set(CreditGrant.objects.values_list("source", flat=True)) == {"allowance", "rollover", "top_up", "promo"}
    assert Run.objects.get(key="run").charged_microcredits > 0
    limits = set(LimitCounter.objects.values_list("limit_key", flat=True))
    assert limits == {"per-user", "per-day", "per-period", "per-run"}
    assert LimitCounter.objects.filter(held__gt=0).exists()
    assert ArchivedUsageDay.objects.exists()
    assert Balance.objects.filter(debt_microcredits__gt=0).exists()
    assert Balance.objects.filter(overage_microcredits__gt=0).exists()


@pytest.mark.parametrize("planted", CORRUPTIONS, ids=lambda planted: planted.story)
def test_each_planted_corruption_is_found_by_its_own_checks(busy: None, planted: Corruption) -> None:
    plant(*planted.statements)
    assert findings() == {check: {planted.customer} for check in planted.checks}
    assert set(findings(customer_id=Ids()[planted.customer])) == set(planted.checks)
    assert findings(customer_id=Ids()["bystander"]) == {}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE usage_event DISABLE TRIGGER usage_event_is_append_only", "is switched off"),
        ("DROP TRIGGER rate_is_published ON rate", "trigger rate_is_published of rate is missing"),
        ("DROP TRIGGER cost_card_bumps_cache_revision ON cost_card", "is missing"),
        ("ALTER TABLE run DROP CONSTRAINT run_key_is_unique", "unique key run_key_is_unique is missing"),
        ("DROP INDEX customer_has_one_open_subscription", "is missing"),
        ("ALTER TABLE balance DROP CONSTRAINT balance_held_is_covered", "constraint balance_held_is_covered"),
    ],
)
def test_a_guard_that_was_taken_off_is_missed(busy: None, statement: str, said: str) -> None:
    execute(statement)
    (found,) = [each for each in audit() if each.found]
    assert (found.check.name, found.faults[0].customer) == ("guards_are_in_force", None)
    assert said in found.faults[0].what


def test_a_lost_revision_is_missed(busy: None) -> None:
    plant("DELETE FROM cache_revision")
    assert findings() == {"cache_revision_is_there": {None}}


def test_every_check_has_been_seen_to_find_something() -> None:
    named = {check for planted in CORRUPTIONS for check in planted.checks}
    assert named | {"guards_are_in_force", "cache_revision_is_there"} == {check.name for check in CHECKS}


def test_every_stored_ledger_replays_to_the_microcredit(busy: None) -> None:
    for customer in Customer.objects.all():
        rebuilt, parted = rebuild_stored(customer.pk)
        assert parted == []
        assert rebuilt.seq == LedgerEntry.objects.filter(customer_id=customer.pk).count()
    plant("UPDATE credit_grant SET remaining_microcredits = 1 WHERE customer_id = {owes}")
    _, (parted_grant,) = rebuild_stored(Ids()["owes"])
    assert "has 1 left, rebuilt 0" in parted_grant


def command(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("audit_ledger", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_prints_a_line_for_every_check(busy: None) -> None:
    code, said = command("--rebuild")
    assert code == 0
    for check in CHECKS:
        assert f"{check.name}: {check.promise}: " in said
    assert "customers_have_balances: every customer has a balance row, and nobody else: 8 customers, ok" in said
    assert "ledgers_rebuild: " in said
    assert f"{len(all_checks()) + 1} checks of " in said
    assert "every promise holds." in said


def test_the_command_names_customers_and_ends_with_1(busy: None) -> None:
    plant("UPDATE balance SET debt_microcredits = debt_microcredits + 1")
    code, said = command("--show", "2")
    assert code == 1
    assert "balances, 8 FOUND" in said
    assert f"    owes: debt is {3 * CREDIT + 1}, its entries sum to -{3 * CREDIT}" in said or "acme: debt is 1" in said
    assert "    … and 6 more" in said
    code, said = command("--customer", "owes")
    assert code == 1
    assert f"owes: debt is {3 * CREDIT + 1}, its entries sum to -{3 * CREDIT}" in said
    assert f"owes: debt is {3 * CREDIT + 1}, rebuilt {3 * CREDIT}" in said
    assert "acme" not in said


def test_the_command_speaks_json(busy: None) -> None:
    plant("UPDATE balance SET debt_microcredits = 0 WHERE customer_id = {owes}")
    code, said = command("--json")
    report = json.loads(said)
    assert (code, report["found"], report["customer"]) == (1, 1, None)
    by_name = {check["name"]: check for check in report["checks"]}
    assert len(by_name) == len(all_checks())
    assert by_name["balances_are_ledger_sums"]["faults"] == [
        {"customer": "owes", "what": f"debt is 0, its entries sum to -{3 * CREDIT}"}
    ]
    assert by_name["balances_are_ledger_sums"]["examined"] == 8


def test_nobody_is_not_audited(db: None) -> None:
    with pytest.raises(CommandError, match="No customer has the key 'nobody'"):
        command("--customer", "nobody")


@pytest.mark.django_db(transaction=True)
def test_the_audit_writes_nothing_and_sees_one_instant() -> None:
    seen: list[int] = []

    def count(_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only'), count(*) FROM customer GROUP BY 1")
            seen.extend(cursor.fetchall() or [("on", 0)])
        if len(seen) == 1:
            with connection.copy().cursor() as other:
                other.execute(
                    "INSERT INTO customer (key, name, email, currency, time_zone, tags, created_at) "
                    "VALUES ('new', '', '', 'USD', 'UTC', '{}', now())"
                )
                other.connection.close()

    Customer.objects.create(key="acme", created_at=NOW)
    audit(told=count)
    assert set(seen) == {("on", 1)}
    assert Customer.objects.count() == 2


@pytest.mark.parametrize("used", [0, 30, 100], ids=["unused", "part used", "all used"])
def test_an_allowance_that_is_less_after_a_change_of_plans_is_no_fault(db: None, used: int) -> None:
    world = World()
    larger = world.plan("larger", included=100)
    acme = Actor("acme", NOW, world.plan("smaller", included=100))
    if used:
        acme.spends(used, key="before")
    acme.now = NOW + timedelta(hours=1)
    subscribe("acme", larger, acme.now)
    assert acme.available == 100 - used
    assert "allowances_are_the_plans" not in findings()
