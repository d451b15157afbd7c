"""An audit as lines of text. Pure."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby

from kernel.units import format_credits, format_scaled
from margins.plan_audit.sheet import named
from margins.plan_audit.terms import NANO, Audit, Case
from margins.units import ratio
from plans.auditing import SEVERITIES


def lines_of(audit: Audit) -> Iterator[tuple[str | None, str]]:
    """(severity of a finding's own line, the line)."""
    plan = audit.plan
    yield None, f"{plan.plan_key} v{plan.number} ({plan.status}), one customer, one {plan.interval}"
    if audit.credit_earns_nano is not None:
        yield (
            None,
            f"A credit earns {format_scaled(round(audit.credit_earns_nano * 10**6 / NANO), 6)} {audit.currency}.",
        )
    source = "assumed, nobody uses it yet" if audit.use is None else f"measured, {audit.use.subscribers} subscribers"
    yield None, f"{'':16}{'cost':>14}{'revenue':>14}{'margin':>10}"
    for name, case in (
        ("worst cost", audit.dearest),
        ("worst margin", audit.thinnest),
        ("P50", audit.p50),
        ("P95", audit.p95),
    ):
        yield None, f"{name:16}{_money(case.cost_nano):>14}{_money(case.revenue_nano):>14}{_percent(case):>10}"
    yield None, f"Amounts are {audit.currency}; P50 and P95 are {source}."
    for line in audit.dearest.mix:
        yield (
            None,
            (
                f"At worst: {line.calls:,} calls of {line.feature} on {line.model}, {line.input_tokens:,} tokens in "
                f"and {line.output_tokens:,} out, {format_credits(line.microcredits)} credits"
            ),
        )
    if audit.dearest.limits:
        yield None, f"held back by {named(audit.dearest.limits)}."
    for _, option in _by_model(audit):
        yield None, option
    for finding in sorted(audit.findings, key=lambda one: SEVERITIES.index(one.severity)):
        yield finding.severity, f"{finding.severity} {finding.code}: {finding.detail}"
        yield None, f"    {finding.remedy}"
    if not audit.findings:
        yield None, "Nothing speaks against it."


def _by_model(audit: Audit) -> Iterator[tuple[str, str]]:
    """What an ordinary call's credit costs, at least and at most, of each tier."""
    yield "", "An ordinary call costs, a credit:"
    ranked = sorted(audit.options, key=lambda option: (option.model.tier_rank, option.model.key))
    for tier, these in groupby(ranked, key=lambda option: option.model.tier_key):
        costs = [
            cost
            for option in these
            if option.typical is not None and (cost := option.typical.cost_per_credit) is not None
        ]
        if costs:
            low, high = (format_scaled(round(cost * 10**6 / NANO), 6) for cost in (min(costs), max(costs)))
            yield tier, f"    {tier:16}{low} to {high} {audit.currency}"


def _money(nano: Fraction | None) -> str:
    return "unlimited" if nano is None else f"{float(nano / NANO):,.2f}"


def _percent(case: Case) -> str:
    margin, revenue = case.margin_nano, case.revenue_nano
    share = None if margin is None or not revenue else ratio(round(margin), round(revenue))
    return "–" if share is None else f"{float(share):.1%}"
