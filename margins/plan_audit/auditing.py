"""The whole audit: an offer in, its figures and findings out. Pure."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from margins.cost_lines import Basis
from margins.plan_audit.findings import findings
from margins.plan_audit.options import options
from margins.plan_audit.sheet import Sheet
from margins.plan_audit.terms import MICRO, NANO, Audit, Burn, Case, ObservedUse, Offer, Option
from margins.plan_audit.worst_case import CREDITS, included, worst_cases

_MONTHS: Final = {"month": 1, "year": 12}
_PERCENT_E4: Final = 100 * 10**4


def audit(offer: Offer) -> Audit:
    """Look at everything the plan allows, at its own limits."""
    sheet = _sheet(offer)
    return Audit(
        plan=offer.plan,
        currency=sheet.currency,
        options=sheet.options,
        credit_earns_nano=sheet.credit_earns_nano,
        dearest=sheet.dearest,
        thinnest=sheet.thinnest,
        p50=sheet.p50,
        p95=sheet.p95,
        use=offer.use,
        findings=tuple(findings(sheet)),
    )


def _sheet(offer: Offer) -> Sheet:
    every = options(offer)
    fixed = _fixed_cost(offer)
    # A share of each payment is a share of what is paid for the period.
    kept = 1 - Fraction(sum(line.percent_e4 for line in offer.lines), _PERCENT_E4)
    dearest, thinnest = worst_cases(offer, every, fixed_cost_nano=fixed, kept_share=kept)
    return Sheet(
        offer=offer,
        options=every,
        currency="USD" if offer.money_per_usd is None else offer.plan.currency,
        credit_earns_nano=_credit_earns(offer),
        dearest=dearest,
        thinnest=thinnest,
        p50=_case(offer, every, "p50", fixed, kept),
        p95=_case(offer, every, "p95", fixed, kept),
    )


def _credit_earns(offer: Offer) -> Fraction | None:
    price, credits = Fraction(offer.plan.price) * NANO, included(offer)
    return price * MICRO / credits if price and credits else None


def _fixed_cost(offer: Offer) -> Fraction:
    """What a customer costs without doing anything, over a period: by the month, and for its one payment."""
    months = _MONTHS[offer.plan.interval]
    times = {Basis.PER_CUSTOMER: months, Basis.PER_SEAT: months, Basis.PER_PAYMENT: 1}
    return Fraction(sum(line.amount_nano * line.seats * times.get(line.basis, 0) for line in offer.lines))


def _case(offer: Offer, every: Sequence[Option], rank: str, fixed: Fraction, kept: Fraction) -> Case:
    """What the half-way or the heavy customer costs and earns: measured, or as assumed where nobody uses it yet."""
    plan = offer.plan
    burn = _measured(offer.use, rank, offer) if offer.use else _assumed(offer, every, rank)
    credits, cost = burn
    beyond = max(Fraction(0), credits - included(offer))
    over = beyond * Fraction(plan.overage_price or 0) * NANO / MICRO
    revenue = None if offer.money_per_usd is None else (Fraction(plan.price) * NANO + over) * kept
    return Case(cost_nano=cost + fixed, revenue_nano=revenue, limits=(CREDITS,) if beyond and not over else ())


def _measured(use: ObservedUse, rank: str, offer: Offer) -> tuple[Fraction, Fraction]:
    """A subscriber's use of the days measured, drawn out to a period's length."""
    burn: Burn = getattr(use, rank)
    # Thirty days are a month as people say it; a year is counted in days.
    share = Fraction(30 if offer.plan.interval == "month" else 365, use.days)
    lines = sum((line.amount_nano for line in offer.lines if line.basis is Basis.PER_CREDIT), 0)
    cost = Fraction(burn.cost_nanousd) * (offer.money_per_usd or 1) + Fraction(lines * burn.microcredits, MICRO)
    return burn.microcredits * share, cost * share


def _assumed(offer: Offer, every: Sequence[Option], rank: str) -> tuple[Fraction, Fraction]:
    """Some share of what is included, at the middle one of the options' costs per credit in ordinary calls."""
    credits = Fraction(included(offer) * offer.assumed.burned_percent[rank], 100)
    if not credits and any(option.overage for option in every):
        wanted = offer.assumed.metered_credits[rank] * MICRO
        cap = offer.plan.spend_cap_microcredits
        credits = Fraction(wanted if cap is None else min(wanted, cap))
    each = (option.typical.cost_per_credit for option in every if option.typical is not None)
    costs: list[Fraction] = sorted(cost for cost in each if cost is not None)
    middle = costs[ceil(len(costs) / 2) - 1] if costs else Fraction(0)
    return credits, credits * middle / MICRO
