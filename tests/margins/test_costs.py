"""Costs on every basis, divided by every key, in every currency: worked tables, and what every cut must sum to."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse
from moneyed import Money

from entitlements.models import Customer, Run
from kernel.ids import key_digest, new_id
from margins.currencies import Converted
from margins.margin import Margin, reported_total, total
from margins.models import CostLine, FxRate, MarginSetting
from margins.queries.currencies import margin_setting
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.units import format_femto
from metering.models import UsageDay, UsageMonth
from tests.margins.books import DECEMBER, NOVEMBER, Books, at, cost_line, feature, plan
from tests.margins.test_margin_rows import busy_company, exact, only, rows

pytestmark = pytest.mark.django_db


def costs(margin: Margin) -> dict[str, str]:
    return {key: format_femto(cost) for key, cost in margin.own.cogs.items() if cost}


def by_day(key: str) -> dict[int, str]:
    """A line's cost on the days of November it costs anything."""
    found = {row.key[0]: costs(row.margin).get(key) for row in rows("day")}
    return {day.day: cost for day, cost in found.items() if isinstance(day, date) and cost}


class TestBases:
    def test_seats_that_are_stated(self) -> None:
        cost_line("workspace", "per_seat", "3", seats=10)
        Books.open().subscribes(plan("pro", "300"))
        assert costs(only(rows())) == {"workspace": "30"}
        assert costs(only(rows(now=at(16, 0)))) == {"workspace": "15"}

    def test_users_active_in_the_month_count_once_on_their_first_day(self) -> None:
        cost_line("sso", "per_active_user", "2")
        acme = Books.open().subscribes(plan("pro", "300"))
        for user, day in (("ann", 20), ("ann", 3), ("bob", 5), ("bob", 5), ("", 9)):
            acme.uses("chat", at=at(day), user=user)
        assert by_day("sso") == {3: "2", 5: "2"}
        late = rows(scope=Scope(date(2026, 11, 10), DECEMBER.date()))
        assert costs(only(late)) == {}, "who was active before was counted before"

    def test_users_active_each_day(self) -> None:
        cost_line("desk", "per_active_user_day", "0.5")
        acme = Books.open()
        for user, day in (("ann", 20), ("ann", 3), ("ann", 3), ("bob", 3), ("", 9)):
            acme.uses("chat", at=at(day), user=user)
        assert by_day("desk") == {3: "1", 20: "0.5"}

    def test_tokens_of_one_kind(self) -> None:
        cost_line("guard", "per_million_tokens", "0.000000001", meter="input_tokens", feature=feature("chat"))
        cost_line("guard", "per_million_tokens", "7", meter="reasoning_tokens")
        acme = Books.open()
        acme.uses("chat", at=at(3), tokens=123_457)
        acme.uses("draft", at=at(3), tokens=500)
        assert costs(only(rows())) == {"guard": "0.000000000123457"}
        assert {row.key[0]: costs(row.margin) for row in rows("feature")}["draft"] == {}

    def test_agent_runs(self) -> None:
        cost_line("sandbox", "per_run", "0.01")
        acme = Books.open()
        for number in range(3):
            Run.objects.create(
                customer_id=acme.customer.pk, id=new_id(), key=f"r{number}", key_digest=key_digest(f"r{number}"),
                body_digest=new_id(), ancestors=[], status=1, opened_at=at(4 + number % 2),
            )  # fmt: skip
        assert by_day("sandbox") == {4: "0.02", 5: "0.01"}

    def test_what_a_payment_provider_keeps(self) -> None:
        """A pack of $10 on the first, and the plan's $100: 0.30 and 2.9 % of each."""
        cost_line("stripe", "per_payment", "0.30", percent=Decimal("2.9"))
        acme = Books.open().subscribes(plan("pro", "100"))
        acme.is_granted(100, paid="10")
        assert by_day("stripe") == {1: "3.79"}
        everyone_after = Scope(date(2026, 11, 2), DECEMBER.date())
        assert costs(only(rows(scope=everyone_after))) == {}

    def test_a_percentage_of_payments_alone(self) -> None:
        CostLine.objects.create(
            key="vat-agent", name="Agent", basis="per_payment", percent=Decimal("0.5"), starts_on=date(2026, 1, 1)
        )
        Books.open().subscribes(plan("pro", "100"))
        assert costs(only(rows())) == {"vat-agent": "0.5"}


class TestShared:
    """$30 a month for everyone together: a dollar a day in November."""

    @pytest.fixture
    def both(self) -> tuple[Books, Books]:
        pro = plan("pro", "30")
        return Books.open("acme").subscribes(pro), Books.open("zeta").subscribes(plan("large", "90"))

    @pytest.mark.parametrize(
        ("key", "acme_on_the_second"),
        [("calls", "0.75"), ("credits", "0.5"), ("cost", "0.1"), ("customers", "0.5"), ("revenue", "0.25")],
    )
    def test_a_day_is_divided_by_its_key(self, both: tuple[Books, Books], key: str, acme_on_the_second: str) -> None:
        cost_line("platform", "shared", "30", shared_by=key)
        acme, zeta = both
        for _ in range(3):
            acme.uses("chat", at=at(2), credits=1, cost_usd="1")
        zeta.uses("chat", at=at(2), credits=3, cost_usd="27")
        second = Scope(date(2026, 11, 2), date(2026, 11, 3))
        found = {row.key[0]: costs(row.margin)["platform"] for row in rows("customer", scope=second)}
        assert found["acme"] == acme_on_the_second
        assert Decimal(found["acme"]) + Decimal(found["zeta"]) == 1
        assert costs(only(rows()))["platform"] == "30", "days without the key are shared evenly"
        alone = rows(scope=Scope(NOVEMBER.date(), DECEMBER.date(), (acme.customer.pk,)))
        assert [costs(only(alone))["platform"]] == [
            costs(row.margin)["platform"] for row in rows("customer") if row.key == ("acme",)
        ]

    def test_a_day_without_anybody_is_nobodys(self) -> None:
        cost_line("platform", "shared", "30", shared_by="calls")
        Books.open().subscribes(plan("pro", "30"), on=at(11, 0))
        assert costs(only(rows())) == {"platform": "20"}


class TestInferenceThatCounts:
    def test_ours_or_the_providers(self) -> None:
        acme = Books.open()
        event = acme.uses("chat", at=at(3), cost_usd="5")
        assert event.cost_nanousd is not None
        for rollup in (UsageDay, UsageMonth):
            rollup.objects.update(computed_cost_nanousd=4 * 10**9, reported_cost_nanousd=5 * 10**9)
        assert costs(only(rows())) == {"inference": "5"}
        MarginSetting.objects.create(inference_cost="computed")
        assert costs(only(rows())) == {"inference": "4"}
        assert costs(only(rows("feature"))) == {"inference": "4"}


def every_basis() -> None:
    """The busy company with costs on every basis, some of them in euro."""
    busy_company()
    cost_line("seats", "per_seat", "1.1", seats=7)
    cost_line("sso", "per_active_user", "0.123456789")
    cost_line("desk", "per_active_user_day", "0.000000007")
    cost_line("guard", "per_million_tokens", "0.000000003", meter="input_tokens")
    cost_line("stripe", "per_payment", "0.30", percent=Decimal("2.9001"))
    cost_line("platform", "shared", "100.000000001", shared_by="revenue")
    cost_line("office", "shared", "77.7", shared_by="calls")
    CostLine.objects.create(
        key="bureau", name="Bureau", basis="per_customer", amount=Money("9.99", "EUR"), starts_on=date(2026, 1, 1)
    )


CUTS: list[tuple[str, ...]] = [
    ("customer",), ("user",), ("feature",), ("model",), ("plan",), ("cohort",), ("day",), ("customer", "day"),
    ("feature", "user"), ("plan", "model", "day"), ("customer", "user", "feature", "model", "plan", "cohort", "day"),
]  # fmt: skip


class TestCuts:
    def test_every_cut_sums_to_the_same_total_on_every_basis(self) -> None:
        every_basis()
        whole = [exact(margin) for margin in total(row.margin for row in rows())]
        for by in CUTS:
            assert [exact(margin) for margin in total(row.margin for row in rows(*by))] == whole, by

    def test_a_customer_alone_bears_what_it_bears_among_all(self) -> None:
        every_basis()
        among_all = {row.key: exact(row.margin) for row in rows("customer", "feature")}
        for key, customer_id in Customer.objects.values_list("key", "id"):
            alone = rows("customer", "feature", scope=Scope(NOVEMBER.date(), DECEMBER.date(), (customer_id,)))
            assert {row.key: exact(row.margin) for row in alone} == {
                found: figures for found, figures in among_all.items() if found[0] == key
            }


class TestAdmin:
    def test_rates_and_settings_are_kept_there(self, staff: Client) -> None:
        rate = {"currency": "EUR", "into": "USD", "day": "2026-11-02", "rate": "1.0934", "source": "ECB"}
        assert staff.post(reverse("admin:margins_fxrate_add"), rate).status_code == 302
        again = staff.post(reverse("admin:margins_fxrate_add"), rate)
        assert "There is a rate of that day already" in again.content.decode()
        assert "1.0934" in staff.get(reverse("admin:margins_fxrate_changelist")).content.decode()
        setting = {"reporting_currency": "EUR", "inference_cost": "computed"}
        assert staff.post(reverse("admin:margins_marginsetting_add"), setting).status_code == 302
        assert staff.get(reverse("admin:margins_marginsetting_add")).status_code == 403, "there is one"
        assert (margin_setting().reporting_currency, margin_setting().inference_cost) == ("EUR", "computed")

    def test_a_fee_shows_both_its_parts(self, staff: Client) -> None:
        cost_line("stripe", "per_payment", "0.30", percent=Decimal("2.9"))
        assert "0.3 USD + 2.9 %" in staff.get(reverse("admin:margins_costline_changelist")).content.decode()


class TestReportingCurrency:
    @pytest.fixture
    def rated(self) -> None:
        for number in range(30):
            day = NOVEMBER.date() + timedelta(days=number)
            rate = Decimal("1.0612345678") + Decimal(number * number) / 10**4
            FxRate.objects.create(currency="EUR", into="USD", day=day, rate=rate, source="test")

    def test_every_cut_converts_to_the_same_total(self, rated: None) -> None:
        every_basis()
        whole = reported_total(row.margin for row in rows())
        assert whole.gross_margin is not None
        assert whole.missing == set()
        for by in CUTS:
            assert reported_total(row.margin for row in rows(*by)) == whole, by
        weeks = [date(2026, 11, day) for day in (1, 8, 15, 22)] + [DECEMBER.date()]
        parts = [
            row.margin
            for start, end in pairwise(weeks)
            for row in margin_rows(Scope(start, end), [Dimension.PLAN], now=at(15, month=12))
        ]
        assert reported_total(parts) == whole

    def test_a_change_of_rate_changes_the_days_from_then_on(self) -> None:
        """30 EUR a month at 1.10, then 1.20 from the 16th: 15 × 1.10 + 15 × 1.20 = 34.50."""
        Books.open("berlin", currency="EUR").subscribes(plan("eu", "30", currency="EUR"))
        for number in range(-2, 30):
            day = NOVEMBER.date() + timedelta(days=number)
            if day.weekday() < 5:
                rate = "1.1" if number < 15 else "1.2"
                FxRate.objects.create(currency="EUR", into="USD", day=day, rate=rate, source="test")
        assert reported_total(row.margin for row in rows()).revenue == 345 * 10**24, "a Sunday has Friday's"

    def test_a_day_without_a_rate_for_a_week_leaves_no_margin_rather_than_a_wrong_one(self) -> None:
        Books.open("berlin", currency="EUR").subscribes(plan("eu", "30", currency="EUR"))
        Books.open("acme").subscribes(plan("us", "30"))
        FxRate.objects.create(currency="EUR", into="USD", day=NOVEMBER.date(), rate="1.1", source="test")
        margins = {row.margin.currency: row.margin.reported for row in rows()}
        assert margins["EUR"].gross_margin is None
        assert min(day for _, day in margins["EUR"].missing) == date(2026, 11, 9)
        assert margins["EUR"].revenue == 88 * 10**23 * 10, "eight days are known"
        assert margins["USD"].gross_margin == 30 * 10**25

    def test_a_plan_sold_in_another_currency_than_its_customer_is_billed_in(self) -> None:
        Books.open("acme").subscribes(plan("eu", "30", currency="EUR"))
        assert only(rows()).reported.gross_margin is None, "rather than without its revenue"
        for number in range(30):
            day = NOVEMBER.date() + timedelta(days=number)
            FxRate.objects.create(currency="EUR", into="USD", day=day, rate="1.1", source="test")
        assert only(rows()).reported == Converted(revenue=33 * 10**25)

    def test_another_reporting_currency(self) -> None:
        MarginSetting.objects.create(reporting_currency="EUR")
        Books.open().subscribes(plan("us", "30"))
        for number in range(30):
            day = NOVEMBER.date() + timedelta(days=number)
            FxRate.objects.create(currency="USD", into="EUR", day=day, rate="0.9", source="test")
        assert only(rows()).reported == Converted(revenue=27 * 10**25)
