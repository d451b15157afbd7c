"""revenue_day: every entry counted once, equal to a recount, restated on its own day, kept when events leave."""

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from moneyed import Money

from entitlements.audit import audit
from entitlements.core.words import EntryKind
from entitlements.models import Customer
from margins.models import ArchivedPlace, RevenueDay, RevenueMark, RevenueMonth
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.queries.recount import differences
from margins.queries.restated import restated_days
from margins.services.revenue import add_revenue, rebuild_revenue
from margins.tasks import add_up_revenue
from metering.archive import archive_events
from tests import accounts
from tests.margins.books import Books, at, plan
from tests.margins.test_margin_rows import DECEMBER, MID_DECEMBER, NOVEMBER, busy_company, exact, rows
from tests.world import Actor, World, in_parallel

pytestmark = pytest.mark.django_db

USD = 10**9
WHOLE_NOVEMBER = Scope(NOVEMBER.date(), DECEMBER.date())


def everything() -> dict[Any, Any]:
    by = list(Dimension)
    return {
        (row.key, row.margin.currency): exact(row.margin) for row in margin_rows(WHOLE_NOVEMBER, by, now=MID_DECEMBER)
    }


def test_adding_up_changes_no_figure() -> None:
    busy_company()
    before = everything(), [exact(row.margin) for row in rows()]
    assert add_revenue() == 4
    assert (everything(), [exact(row.margin) for row in rows()]) == before
    assert list(differences()) == []


def test_what_was_added_up_is_not_added_again() -> None:
    acme = Books.open()
    pack = acme.is_granted(100, paid="10")
    acme.uses("chat", at=at(3), credits=10, burning=pack)
    assert (add_revenue(), add_revenue()) == (1, 0)
    acme.uses("chat", at=at(3), credits=10, burning=pack)
    add_up_revenue()
    assert [(row.amount_nano, row.kind) for row in RevenueDay.objects.all()] == [(2 * USD, "credits")]
    assert [row.amount_nano for row in RevenueMonth.objects.all()] == [2 * USD]
    assert RevenueMark.objects.get().seq == acme.seq


def test_a_row_says_whose_usage_it_was() -> None:
    acme = Books.open().subscribes(plan("team", "0", overage_price="0.5"))
    pack = acme.is_granted(100, paid="10")
    acme.uses("chat", at=at(3), credits=10, model="o3", user="ann", burning=pack)
    acme.uses("draft", at=at(4), credits=2, user="bob", as_overage=True)
    acme.enters(EntryKind.EXPIRE, -90, at=at(9), grant=pack)
    add_revenue()
    version = acme.version.pk if acme.version else 0
    fields = ("day", "plan_version_id", "model", "user_key", "kind", "amount_nano")
    assert list(RevenueDay.objects.order_by("day").values_list(*fields)) == [
        (date(2026, 11, 3), version, "o3", "ann", "credits", USD),
        (date(2026, 11, 4), version, "gpt-4o", "bob", "overage", USD),
        (date(2026, 11, 9), version, "", "", "breakage", 9 * USD),
    ]


class TestRestatement:
    def test_a_late_entry_restates_its_own_day_and_says_so(self) -> None:
        acme = Books.open()
        pack = acme.is_granted(100, paid="10")
        acme.uses("chat", at=at(3), credits=10, burning=pack)
        add_revenue()
        assert restated_days(WHOLE_NOVEMBER) == []
        acme.uses("chat", at=at(3), recorded=at(9), credits=5, cost_usd="0.25", burning=pack)
        expected = [(date(2026, 11, 3), "USD", USD // 2, 1, USD // 4, at(9))]
        assert restated_days(WHOLE_NOVEMBER) == expected, "seen at once, added up or not"
        add_revenue()
        assert restated_days(WHOLE_NOVEMBER) == expected
        assert restated_days(Scope(date(2026, 11, 4), DECEMBER.date())) == []
        row = RevenueDay.objects.get()
        assert (row.amount_nano, row.restated_nano, row.restated_at) == (3 * USD // 2, USD // 2, at(9))

    def test_an_entry_of_the_same_day_is_no_restatement_however_many_hours_late(self) -> None:
        acme = Books.open()
        pack = acme.is_granted(100, paid="10")
        acme.uses("chat", at=at(3, 0), recorded=at(3, 23), credits=5, burning=pack)
        add_revenue()
        assert restated_days(WHOLE_NOVEMBER) == []

    def test_an_expiry_noticed_late_is_none(self) -> None:
        acme = Books.open()
        pack = acme.is_granted(100, paid="10")
        acme.enters(EntryKind.EXPIRE, -100, at=at(5), recorded=at(20), grant=pack)
        assert restated_days(WHOLE_NOVEMBER) == []


class TestRecount:
    @pytest.mark.parametrize(
        ("corruption", "said"),
        [
            ("UPDATE revenue_day SET amount_nano = amount_nano + 1", "instead of"),
            ("DELETE FROM revenue_day", "missing"),
            ("UPDATE revenue_month SET amount_nano = amount_nano - 1", "revenue_month 2026-11"),
            ("UPDATE revenue_day SET restated_nano = 7, restated_at = now()", "restated by 7 instead of 0"),
            ("UPDATE revenue_day SET day = day + 1", "instead of nothing"),
        ],
    )
    def test_what_differs_is_named_by_command_and_audit_and_put_right(self, corruption: str, said: str) -> None:
        busy_company()
        add_revenue()
        good = everything()
        customer = Customer.objects.get(key="zeta")
        with connection.cursor() as cursor:
            cursor.execute(f"{corruption} WHERE customer_id = %s", [customer.pk])
        out = StringIO()
        with pytest.raises(SystemExit) as stopped:
            call_command("rebuild_revenue", "--check", stdout=out)
        assert stopped.value.code == 1
        assert "zeta: revenue_" in out.getvalue()
        assert said in out.getvalue()
        found = [outcome for outcome in audit() if outcome.found and outcome.check.name == "revenue_is_recounted"]
        assert [fault.customer for outcome in found for fault in outcome.faults][:1] == ["zeta"]
        call_command("rebuild_revenue", stdout=StringIO())
        assert list(differences()) == []
        assert everything() == good
        assert rebuild_revenue(customer.pk) == []

    def test_the_command_adds_up_what_is_not_yet(self) -> None:
        busy_company()
        call_command("rebuild_revenue", stdout=StringIO())
        assert RevenueMark.objects.count() == 4
        out = StringIO()
        call_command("rebuild_revenue", "--check", "--customer", "acme", stdout=out)
        assert "what the ledgers earned" in out.getvalue()

    def test_an_unknown_customer_is_refused(self) -> None:
        with pytest.raises(Exception, match="No customer has the key 'nobody'"):
            call_command("rebuild_revenue", "--customer", "nobody", stdout=StringIO())


@pytest.mark.parametrize("added_up", [True, False])
def test_events_that_leave_for_the_archive_keep_their_feature_and_model(added_up: bool, tmp_path: Path) -> None:
    world = World()
    acme = Actor("acme", NOVEMBER, world.metered)
    acme.is_granted(10, paid=Money(1, "USD"))
    facts = [
        accounts.fact(f"e{number}", at=at(3), stated_microcredits=4 * 10**6, user_key=f"u{number}")
        for number in range(4)
    ]
    acme.uses(*facts, now=at(3))
    assert [row.margin.own.total_revenue > 0 for row in rows("feature", "user")] == [True] * 4
    before = everything()
    if added_up:
        add_revenue()
    archive_events(before=at(20), directory=tmp_path, customer_id=None, now=at(21), moved=lambda what, number: None)
    assert ArchivedPlace.objects.count() == 4
    assert everything() == before
    add_revenue()
    assert list(differences()) == []
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_readers_at_once_count_every_entry_once() -> None:
    books = [Books.open(f"c{number}") for number in range(6)]
    for one in books:
        pack = one.is_granted(100, paid="10")
        for _ in range(5):
            one.uses("chat", at=at(3), credits=10, burning=pack)
    outcomes = in_parallel(4, lambda number: add_revenue())
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert list(RevenueDay.objects.values_list("amount_nano", flat=True)) == [5 * USD] * 6
