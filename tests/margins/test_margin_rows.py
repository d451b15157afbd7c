"""Gross margin out of the database: the worked example, whose revenue is whose, and what every cut must sum to."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest

from entitlements.core.words import Bucket, EntryKind
from entitlements.models import Customer
from margins.margin import Margin, total
from margins.queries import margins
from margins.queries.margins import Dimension, Key, MarginRow, Scope, coarser, margin_rows, margin_rows_and_users
from margins.recognition import RevenueKind
from margins.units import FEMTO_PER_NANO, format_femto
from tests.margins.books import DECEMBER, NOVEMBER, Books, at, cost_line, feature, plan

pytestmark = pytest.mark.django_db

MID_DECEMBER = at(15, month=12)
WHOLE_NOVEMBER = Scope(NOVEMBER.date(), DECEMBER.date())


def rows(*by: str, scope: Scope = WHOLE_NOVEMBER, now: datetime = MID_DECEMBER) -> list[MarginRow]:
    return margin_rows(scope, [Dimension(one) for one in by], now=now)


def only(found: Sequence[MarginRow]) -> Margin:
    assert len(found) == 1
    return found[0].margin


def revenue_of(margin: Margin) -> dict[str, str]:
    return {kind.value: format_femto(amount) for kind, amount in margin.own.revenue.items()}


def revenue_by(*by: str, **options: object) -> dict[Key, str]:
    found = rows(*by, **options)  # type: ignore[arg-type]
    return {row.key: format_femto(row.margin.own.total_revenue) for row in found}


class TestWorkedExample:
    @pytest.fixture
    def acme(self) -> Books:
        cost_line("hosting", "per_customer", "8")
        cost_line("third-party", "per_customer", "12")
        cost_line("support", "per_customer", "15")
        return Books.open("acme").subscribes(plan("pro", "299"))

    @pytest.mark.parametrize(
        ("inference", "cogs", "percent"),
        [(None, "35", "0.882943"), ("65", "100", "0.665552"), ("89", "124", "0.585284")],
    )
    def test_a_month_at_299(self, acme: Books, inference: str | None, cogs: str, percent: str) -> None:
        if inference:
            acme.uses("chat", at=at(10), cost_usd=inference)
        margin = only(rows("customer"))
        assert revenue_of(margin) == {"subscription": "299"}
        assert format_femto(margin.own.total_cogs) == cogs
        assert margin.margin_ratio == percent
        lines = {key: format_femto(cost) for key, cost in margin.own.cogs.items() if cost}
        assert lines == {"hosting": "8", "third-party": "12", "support": "15"} | (
            {"inference": inference} if inference else {}
        )

    def test_the_current_day_counts_until_now(self, acme: Books) -> None:
        half = only(rows(now=at(16, 0)))
        assert revenue_of(half) == {"subscription": "149.5"}
        assert half.margin_ratio == "0.882943"
        assert rows(now=NOVEMBER - timedelta(days=1)) == []

    def test_without_a_subscription_no_cost_per_customer_accrues(self, acme: Books) -> None:
        acme.leaves(at(11, 0))
        margin = only(rows())
        assert revenue_of(margin) == {"subscription": "99.666666666"}
        assert format_femto(margin.own.total_cogs) == "11.666666666"


class TestRevenue:
    def test_bought_credits_earn_on_the_days_they_burn_and_expire(self) -> None:
        acme = Books.open().subscribes(plan("payg", "0"))
        pack = acme.is_granted(300, paid="10")
        acme.uses("chat", at=at(3), credits=100, burning=pack)
        acme.uses("chat", at=at(20), credits=100, burning=pack)
        acme.enters(EntryKind.EXPIRE, -100, at=at(25, 0), grant=pack)
        assert revenue_by("day") == {
            (date(2026, 11, 3),): "3.333333333",
            (date(2026, 11, 20),): "3.333333333",
            (date(2026, 11, 25),): "3.333333334",
        }
        assert revenue_of(only(rows())) == {"credits": "6.666666666", "breakage": "3.333333334"}

    def test_a_window_that_starts_inside_a_grants_life_sees_the_same_figures(self) -> None:
        acme = Books.open()
        pack = acme.is_granted(300, paid="10")
        for day in (3, 20, 25):
            acme.uses("chat", at=at(day), credits=100, burning=pack)
        late = Scope(date(2026, 11, 21), DECEMBER.date())
        assert revenue_by(scope=late) == {(): "3.333333334"}

    @pytest.mark.parametrize("source", ["allowance", "rollover", "promo"])
    def test_included_and_promo_credits_earn_nothing_of_their_own(self, source: str) -> None:
        acme = Books.open().subscribes(plan("pro", "30"))
        grant = acme.is_granted(100, source=source)
        acme.uses("chat", at=at(3), credits=100, burning=grant)
        assert revenue_of(only(rows())) == {"subscription": "30"}

    def test_overage_earns_its_plans_price_until_a_pack_pays_it(self) -> None:
        acme = Books.open().subscribes(plan("team", "0", overage_price="0.25"))
        acme.uses("chat", at=at(3), credits=8, as_overage=True)
        acme.uses("chat", at=at(4), credits=2, as_overage=True)
        pack = acme.is_granted(100, paid="10")
        acme.enters(EntryKind.BURN, -4, at=at(5), grant=pack)
        acme.enters(EntryKind.OVERAGE_PAID, 4, at=at(5), bucket=Bucket.OVERAGE)
        acme.enters(EntryKind.OVERAGE_BILLED, 6, at=at(30), bucket=Bucket.OVERAGE)
        assert revenue_of(only(rows())) == {"overage": "1.5", "credits": "0.4"}
        assert revenue_by("plan") == {("team",): "1.9"}

    def test_credits_given_back_and_credits_voided_are_not_earned(self) -> None:
        acme = Books.open()
        pack = acme.is_granted(100, paid="10")
        acme.uses("chat", at=at(3), credits=50, burning=pack)
        acme.enters(EntryKind.REFUND, 10, at=at(4), grant=pack)
        acme.enters(EntryKind.VOID, -60, at=at(5), grant=pack)
        assert revenue_of(only(rows())) == {"credits": "4"}

    def test_a_late_event_moves_its_own_day_only(self) -> None:
        acme = Books.open().subscribes(plan("pro", "30"))
        pack = acme.is_granted(3, paid="0.01")
        acme.uses("chat", at=at(20), credits=1, cost_usd="0.5", burning=pack)
        before = {row.key: row.margin for row in rows("day")}
        acme.uses("chat", at=at(2), credits=1, cost_usd="0.25", burning=pack)
        after = {row.key: row.margin for row in rows("day")}
        moved = [key for key in after if after[key] != before[key]]
        assert moved == [(date(2026, 11, 2),)]
        assert revenue_of(after[moved[0]]) == {"subscription": "1", "credits": "0.003333333"}

    def test_a_plan_change_mid_period_earns_each_plan_its_days(self) -> None:
        cost_line("hosting", "per_customer", "30")
        acme = Books.open().subscribes(plan("basic", "100"), on=NOVEMBER)
        acme.subscribes(plan("pro", "300"), on=at(16, 12), anchor=NOVEMBER)
        found = {row.key: row.margin for row in rows("plan")}
        assert revenue_of(found["basic",]) == {"subscription": "51.666666666"}
        assert revenue_of(found["pro",]) == {"subscription": "145"}
        hosting = {key: format_femto(margin.own.cogs["hosting"]) for key, margin in found.items()}
        assert hosting == {("basic",): "15", ("pro",): "15"}, "the day of the change is the new plan's"


class TestAllocation:
    def test_a_day_of_subscription_goes_to_features_by_the_credits_charged(self) -> None:
        acme = Books.open().subscribes(plan("pro", "30"))
        acme.uses("chat", at=at(1), credits=3, cost_usd="9")
        acme.uses("search", at=at(1), credits=1, cost_usd="1")
        acme.uses("chat", at=at(2), credits=0, cost_usd="1")
        acme.uses("search", at=at(2), credits=0, cost_usd="4")
        first_three = Scope(date(2026, 11, 1), date(2026, 11, 4))
        assert revenue_by("feature", "day", scope=first_three) == {
            ("chat", date(2026, 11, 1)): "0.75",
            ("search", date(2026, 11, 1)): "0.25",
            ("chat", date(2026, 11, 2)): "0.2",
            ("search", date(2026, 11, 2)): "0.8",
            (None, date(2026, 11, 3)): "1",
        }

    def test_burned_credits_belong_to_the_feature_and_model_that_burned_them(self) -> None:
        acme = Books.open()
        pack = acme.is_granted(100, paid="10")
        acme.uses("chat", at=at(1), credits=30, model="gpt-4o", burning=pack)
        acme.uses("chat", at=at(1), credits=10, model="o3", burning=pack)
        assert revenue_by("model") == {("gpt-4o",): "3", ("o3",): "1"}
        assert revenue_by("feature") == {("chat",): "4"}


class TestCostLines:
    def test_lines_per_unit_follow_the_usage_they_select(self) -> None:
        cost_line("email", "per_call", "0.01", feature=feature("chat"))
        Books.open("x").uses("chat", at=at(1))
        cost_line("vectors", "per_million_tokens", "2", feature=feature("search"))
        cost_line("gateway", "per_credit", "0.1", plan=(pro := plan("pro", "0")).plan)
        acme = Books.open().subscribes(pro)
        acme.uses("chat", at=at(2), credits=5, tokens=1_000_000)
        acme.uses("search", at=at(2), credits=3, tokens=500_000)
        costs = {row.key: _costs(row.margin) for row in rows("customer")}
        assert costs == {
            ("acme",): {"email": "0.01", "vectors": "1", "gateway": "0.8"},
            ("x",): {"email": "0.01"},
        }

    def test_a_percentage_of_revenue_follows_every_kind(self) -> None:
        cost_line("fees", "percent_of_revenue", "2.9")
        acme = Books.open().subscribes(plan("pro", "100"))
        pack = acme.is_granted(100, paid="10")
        acme.uses("chat", at=at(2), credits=50, burning=pack)
        assert _costs(only(rows())) == {"fees": "3.045"}

    def test_a_line_counts_on_its_own_days(self) -> None:
        cost_line("fees", "percent_of_revenue", "10", ends_on=date(2026, 11, 11))
        cost_line("fees", "percent_of_revenue", "20", starts_on=date(2026, 11, 11))
        cost_line("hosting", "per_customer", "30", starts_on=date(2026, 11, 16))
        cost_line("email", "per_call", "1", starts_on=date(2026, 11, 3), ends_on=date(2026, 11, 4))
        acme = Books.open().subscribes(plan("pro", "300"))
        acme.uses("chat", at=at(2))
        acme.uses("chat", at=at(3))
        assert _costs(only(rows())) == {"fees": "50", "hosting": "15", "email": "1"}
        days = total(row.margin for row in rows("day"))
        assert _costs(days[0]) == {"fees": "50", "hosting": "15", "email": "1"}

    def test_a_line_for_one_customer_leaves_the_others_alone_in_every_cut(self) -> None:
        acme, zeta = Books.open("acme"), Books.open("zeta")
        cost_line("dedicated", "per_call", "1", customer=acme.customer)
        acme.uses("chat", at=at(2))
        zeta.uses("chat", at=at(2))
        assert {row.key: _costs(row.margin) for row in rows("customer")} == {
            ("acme",): {"dedicated": "1"},
            ("zeta",): {},
        }
        assert _costs(only(rows("model"))) == {"dedicated": "1"}


class TestCompletenessAndCurrencies:
    def test_unpriced_calls_are_counted_not_costed(self) -> None:
        acme = Books.open()
        acme.uses("chat", at=at(1), model="gpt-4o", cost_usd="1")
        acme.uses("chat", at=at(1), model="brand-new", cost_usd=None)
        acme.uses("chat", at=at(2), model="brand-new", cost_usd=None)
        acme.uses("chat", at=at(2), model="gpt-4o", cost_usd="1")
        whole = only(rows())
        assert (whole.completeness, whole.usage.unpriced_calls) == ("0.5", 2)
        assert {row.key: row.margin.completeness for row in rows("model")} == {("brand-new",): "0", ("gpt-4o",): "1"}

    def test_a_euro_customer_has_revenue_in_euro_and_inference_in_dollars_apart(self) -> None:
        acme = Books.open("acme").subscribes(plan("pro", "100"))
        berlin = Books.open("berlin", currency="EUR").subscribes(plan("pro-eu", "90", currency="EUR"))
        acme.uses("chat", at=at(1), cost_usd="7")
        berlin.uses("chat", at=at(1), cost_usd="5")
        euro, dollar = (row.margin for row in rows())
        assert (euro.currency, revenue_of(euro), euro.gross_margin) == ("EUR", {"subscription": "90"}, None)
        assert euro.not_convertible["USD"].total_cogs == 5 * 10**9 * FEMTO_PER_NANO
        assert (dollar.currency, revenue_of(dollar), dollar.margin_ratio) == ("USD", {"subscription": "100"}, "0.93")


def _costs(margin: Margin) -> dict[str, str]:
    return {key: format_femto(cost) for key, cost in margin.own.cogs.items() if cost}


def busy_company() -> None:
    """Three customers with everything at once: plan change, packs, expiry, overage, late and unpriced calls, lines."""
    basic, team = plan("basic", "19.99"), plan("team", "100", overage_price="0.031")
    euro = plan("euro", "49", currency="EUR")
    acme = Books.open("acme").subscribes(basic, on=at(3, 7), anchor=at(31, month=10))
    acme.subscribes(team, on=at(17, 9), anchor=at(3, 7))
    zeta = Books.open("zeta").subscribes(team, on=at(5, 23))
    berlin = Books.open("berlin", currency="EUR").subscribes(euro)
    free = Books.open("free")
    cost_line("hosting", "per_customer", "8")
    cost_line("hosting", "per_customer", "3.333333333", plan=team.plan)
    cost_line("fees", "percent_of_revenue", "2.9")
    cost_line("fees", "percent_of_revenue", "0.1234", plan=basic.plan, ends_on=date(2026, 11, 19))
    cost_line("email", "per_call", "0.000000007", customer=acme.customer)
    cost_line("vectors", "per_million_tokens", "0.123456789", feature=feature("search"))
    cost_line("gateway", "per_credit", "0.000000011", starts_on=date(2026, 11, 10))
    for number, books in enumerate((acme, zeta, berlin, free), start=1):
        pack = books.is_granted(77, paid="9.99", currency=books.customer.currency)
        for step in range(6):
            day = 2 + (number * 7 + step * 5) % 27
            books.uses(
                ("chat", "search", "draft")[(step + number) % 3],
                at=at(day, (step * 5) % 24),
                model=("gpt-4o", "o3")[step % 2],
                credits=1.234567 * step,
                cost_usd=None if step == 5 else f"0.{step}23456789",
                tokens=1_234 * step,
                user=f"u{step % 2}",
                burning=pack if step % 2 else None,
            )
        books.enters(EntryKind.EXPIRE, -31.5, at=at(27), grant=pack)
    zeta.uses("chat", at=at(28), credits=3.7, cost_usd="0.01", as_overage=True)


class TestCuts:
    """Whatever a margin is cut by, nothing is lost, doubled or rounded away."""

    def test_every_cut_sums_to_the_same_total(self) -> None:
        busy_company()
        whole = [exact(margin) for margin in total(row.margin for row in rows())]
        assert [margin["currency"] for margin in whole] == ["EUR", "USD"]
        for size in range(1, len(Dimension) + 1):
            for by in combinations(Dimension, size):
                parts = [exact(margin) for margin in total(row.margin for row in rows(*by))]
                assert parts == whole, by

    def test_a_finer_cut_sums_to_each_row_of_a_coarser_one(self) -> None:
        busy_company()
        finest = rows(*Dimension)
        for by in combinations(Dimension, 2):
            merged = {(row.key, row.margin.currency): exact(row.margin) for row in coarser(finest, list(Dimension), by)}
            assert merged == {(row.key, row.margin.currency): exact(row.margin) for row in rows(*by)}, by

    def test_weeks_sum_to_their_month(self) -> None:
        busy_company()
        bounds = [date(2026, 11, day) for day in (1, 4, 11, 18, 19)] + [date(2026, 12, 1)]
        weeks = [row.margin for a, b in pairwise(bounds) for row in rows(scope=Scope(a, b))]
        assert [exact(margin) for margin in total(weeks)] == [exact(row.margin) for row in rows()]

    @pytest.mark.parametrize("by", [("plan", "feature", "model", "day"), ("model",), ("customer", "day"), ()])
    def test_users_told_beside_a_cut_are_those_of_a_cut_of_their_own(self, by: tuple[str, ...]) -> None:
        busy_company()
        beside, users = margin_rows_and_users(WHOLE_NOVEMBER, [Dimension(one) for one in by], now=MID_DECEMBER)
        for found, alone in ((beside, rows(*by)), (users, rows("user"))):
            assert [(row.key, exact(row.margin)) for row in found] == [(one.key, exact(one.margin)) for one in alone]

    def test_customers_asked_for_alone_have_the_figures_they_have_among_all(self) -> None:
        busy_company()
        among_all = {row.key: exact(row.margin) for row in rows("customer", "feature")}
        for key, customer_id in Customer.objects.values_list("key", "id"):
            scope = Scope(NOVEMBER.date(), DECEMBER.date(), (customer_id,))
            alone = {row.key: exact(row.margin) for row in rows("customer", "feature", scope=scope)}
            assert alone == {found: figures for found, figures in among_all.items() if found[0] == key}


def exact(margin: Margin) -> dict[str, object]:
    """Every figure of a margin, without those that are zero."""

    def figures(revenue: dict[RevenueKind, int], cogs: dict[str, int]) -> dict[str, int]:
        return {str(name): amount for name, amount in sorted((revenue | cogs).items()) if amount}  # type: ignore[operator]

    return {
        "currency": margin.currency,
        "usage": margin.usage,
        "own": figures(margin.own.revenue, margin.own.cogs),
        "other": {currency: figures(one.revenue, one.cogs) for currency, one in margin.not_convertible.items()},
    }


def test_a_customer_who_comes_while_a_report_is_made_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pro = plan("pro", "100")
    Books.open("first").subscribes(pro)
    facts = margins.money_facts

    def meanwhile(*asked: Any, **more: Any) -> Any:
        Books.open("second").subscribes(pro)
        return facts(*asked, **more)

    monkeypatch.setattr(margins, "money_facts", meanwhile)
    assert revenue_by("customer") == {("first",): "100", ("second",): "100"}
