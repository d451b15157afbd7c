"""Gross margin from sums: the worked example, cost lines on every basis, currencies, completeness."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from margins.cost_lines import Basis, LineTerms, UsageTotals, revenue_cost_femto, usage_cost_femto
from margins.margin import INFERENCE, Margin, losses_first, total
from margins.recognition import RevenueKind
from margins.units import FEMTO_PER_UNIT, format_femto, nano_of, ratio

USD = 10**9
NOVEMBER = date(2026, 11, 1)


def line(basis: Basis, *, amount_nano: int = 0, percent_e4: int = 0, **parts: object) -> LineTerms:
    terms = LineTerms(1, "line", "Line", basis, amount_nano, "USD", percent_e4, NOVEMBER)
    return terms._replace(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inference", "cogs", "percent"), [(0, 35, "0.882943"), (65, 100, "0.665552"), (89, 124, "0.585284")]
)
def test_the_worked_example(inference: int, cogs: int, percent: str) -> None:
    """$299 a month; hosting 8, third-party 12, support 15; then average and heavy AI use on top."""
    margin = Margin("USD")
    margin.revenue_in("USD")[RevenueKind.SUBSCRIPTION] = 299 * FEMTO_PER_UNIT
    for key, dollars in {"hosting": 8, "third-party": 12, "support": 15, INFERENCE: inference}.items():
        margin.add_cost(key, dollars * FEMTO_PER_UNIT, "USD")
    assert format_femto(margin.own.total_cogs) == str(cogs)
    assert margin.gross_margin == (299 - cogs) * FEMTO_PER_UNIT
    assert margin.margin_ratio == percent


USAGE = UsageTotals(calls=7, tokens=1_234_567, charged_microcredits=2_500_000)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (line(Basis.PER_CALL, amount_nano=1_000_000), "0.007"),
        (line(Basis.PER_MILLION_TOKENS, amount_nano=250_000_001), "0.308641751234567"),
        (line(Basis.PER_CREDIT, amount_nano=3), "0.0000000075"),
        (line(Basis.PER_CUSTOMER, amount_nano=USD), "0"),
        (line(Basis.PERCENT_OF_REVENUE, percent_e4=29_000), "0"),
    ],
)
def test_a_line_per_unit_costs_exactly_its_units(terms: LineTerms, expected: str) -> None:
    assert format_femto(usage_cost_femto(terms, USAGE)) == expected


def test_a_percentage_of_revenue_is_exact() -> None:
    fee = line(Basis.PERCENT_OF_REVENUE, percent_e4=29_000)
    assert format_femto(revenue_cost_femto(fee, 299 * USD)) == "8.671"
    assert format_femto(revenue_cost_femto(fee, 1)) == "0.000000000029"
    assert revenue_cost_femto(line(Basis.PER_CALL, amount_nano=5), 299 * USD) == 0


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(
    usages=st.lists(st.tuples(*[st.integers(0, 10**12)] * 6).map(lambda row: UsageTotals(*row)), max_size=8),
    basis=st.sampled_from([Basis.PER_CALL, Basis.PER_MILLION_TOKENS, Basis.PER_CREDIT]),
    amount=st.integers(0, 10**12),
)
def test_the_cost_of_the_parts_is_the_cost_of_the_whole(usages: list[UsageTotals], basis: Basis, amount: int) -> None:
    whole = UsageTotals()
    for usage in usages:
        whole = whole.plus(usage)
    terms = line(basis, amount_nano=amount)
    assert sum(usage_cost_femto(terms, usage) for usage in usages) == usage_cost_femto(terms, whole)


def test_a_line_holds_on_its_days_for_whom_it_selects() -> None:
    terms = line(Basis.PER_CALL, starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 4), plan_id=3)
    assert [terms.holds_on(date(2026, 11, day)) for day in (1, 2, 3, 4)] == [False, True, True, False]
    assert terms.selects(customer_id=1, plan_id=3, feature_id=None)
    assert not terms.selects(customer_id=1, plan_id=4, feature_id=None)
    assert not terms.selects(customer_id=1, plan_id=None, feature_id=None)


def test_costs_in_another_currency_leave_no_margin_rather_than_a_wrong_one() -> None:
    margin = Margin("EUR")
    margin.revenue_in("EUR")[RevenueKind.SUBSCRIPTION] = 99 * FEMTO_PER_UNIT
    assert margin.margin_ratio == "1"
    margin.add_cost(INFERENCE, 5 * FEMTO_PER_UNIT, "USD")
    assert margin.gross_margin is None
    assert margin.margin_ratio is None
    assert margin.own.total_cogs == 0
    assert {currency: amounts.total_cogs for currency, amounts in margin.not_convertible.items()} == {
        "USD": 5 * FEMTO_PER_UNIT
    }


def test_no_cost_in_another_currency_does_not_stand_in_the_way() -> None:
    margin = Margin("EUR")
    margin.revenue_in("EUR")[RevenueKind.SUBSCRIPTION] = FEMTO_PER_UNIT
    margin.add_cost(INFERENCE, 0, "USD")
    assert margin.margin_ratio == "1"


def test_totals_keep_billing_currencies_apart() -> None:
    rows = [Margin("USD"), Margin("EUR"), Margin("USD")]
    for number, margin in enumerate(rows, start=1):
        margin.revenue_in(margin.currency)[RevenueKind.CREDITS] = number * FEMTO_PER_UNIT
        margin.add_cost(INFERENCE, number, "USD")
        margin.add_usage(UsageTotals(calls=number))
    euro, dollar = total(rows)
    assert (euro.currency, euro.usage.calls, euro.own.total_revenue) == ("EUR", 2, 2 * FEMTO_PER_UNIT)
    assert (dollar.currency, dollar.usage.calls, dollar.own.total_revenue) == ("USD", 4, 4 * FEMTO_PER_UNIT)
    assert dollar.own.cogs == {INFERENCE: 4}
    with pytest.raises(ValueError, match="EUR cannot be added to USD"):
        dollar.add(euro)


@pytest.mark.parametrize(
    ("calls", "unpriced", "expected"), [(4, 1, "0.75"), (3, 0, "1"), (3, 3, "0"), (3, 1, "0.666667"), (0, 0, None)]
)
def test_completeness_is_the_share_of_priced_calls(calls: int, unpriced: int, expected: str | None) -> None:
    assert Margin("USD", UsageTotals(calls=calls, unpriced_calls=unpriced)).completeness == expected


def test_no_revenue_has_no_ratio_and_losses_come_first() -> None:
    def margin(revenue: int, cost: int, currency: str = "USD") -> Margin:
        one = Margin(currency)
        one.revenue_in(currency)[RevenueKind.CREDITS] = revenue * FEMTO_PER_UNIT
        one.add_cost(INFERENCE, cost * FEMTO_PER_UNIT, "USD")
        return one

    free_rider, loss, gain, foreign = margin(0, 3), margin(10, 50), margin(10, 1), margin(10, 1, "EUR")
    assert free_rider.margin_ratio is None
    assert loss.margin_ratio == "-4"
    assert sorted([foreign, gain, free_rider, loss], key=losses_first) == [loss, free_rider, gain, foreign]


@pytest.mark.parametrize(
    ("femto", "text"),
    [(0, "0"), (FEMTO_PER_UNIT, "1"), (-1_500_000_000_000_000, "-1.5"), (1, "0.000000000000001"), (10**16, "10")],
)
def test_amounts_are_written_exactly(femto: int, text: str) -> None:
    assert format_femto(femto) == text


def test_ratios_round_half_to_even() -> None:
    assert ratio(5, 10_000_000) == "0"
    assert ratio(15, 10_000_000) == "0.000002"
    assert ratio(-1, 3) == "-0.333333"


def test_money_finer_than_a_nano_unit_is_refused() -> None:
    from decimal import Decimal

    assert nano_of(Decimal("299.000000001")) == 299_000_000_001
    with pytest.raises(ValueError, match="nine decimal places"):
        nano_of(Decimal("0.0000000001"))
