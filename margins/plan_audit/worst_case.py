"""The most a customer can cost, and the least they can leave, at a plan's own limits. Pure.

Both are exact optima over all ways of using the plan (linear.py): so many calls of each option, within the credits, the
spend cap and every hard limit that counts one customer's use. Limits of each user or each run do not: a customer may
have any number of them. Calls that are never asked for beforehand are nobody's to bound.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from margins.plan_audit.linear import Optimum, Row, maximise
from margins.plan_audit.options import amount, covers
from margins.plan_audit.terms import MICRO, NANO, CallFigures, Case, MixLine, Offer, Option
from plans.terms import SHARED_SCOPES, LimitTerms

CREDITS: Final = "included credits"
SPEND_CAP: Final = "spend cap"

_BOUNDING_SCOPES: Final = ("customer", *SHARED_SCOPES)
_RENEWALS: Final = {
    "month": {"never": 1, "day": 31, "week": 5, "month": 1, "year": 1},
    "year": {"never": 1, "day": 366, "week": 53, "month": 12, "year": 1},
}
"""How many allowances a period can see granted."""


class Kind(NamedTuple):
    """One kind of call of an option: an activity of the problem."""

    option: Option
    call: CallFigures


def included(offer: Offer) -> int:
    """Microcredits a period brings, without what is rolled over into it."""
    return offer.plan.included_microcredits * _RENEWALS[offer.plan.interval][offer.plan.allowance_renewal]


def bounds(offer: Offer, option: Option) -> list[LimitTerms]:
    """The hard limits that hold one customer's use of the option back over time."""
    return [limit for limit in _bounding(offer) if covers(limit, option)]


def windows(offer: Offer, limit: LimitTerms) -> int:
    """How often the limit starts over in a period of the greatest length."""
    days = offer.assumed.days[offer.plan.interval]
    if limit.window == "period" and limit.scope in SHARED_SCOPES:
        # Shared periods are calendar months: a billing period reaches into one more than it is long.
        return 2 if offer.plan.interval == "month" else 13
    return {"minute": days * 1_440, "hour": days * 24, "day": days}.get(limit.window, 1)


def worst_cases(
    offer: Offer, options: Sequence[Option], *, fixed_cost_nano: Fraction, kept_share: Fraction
) -> tuple[Case, Case]:
    """(the dearest case, the one with the thinnest margin).

    `fixed_cost_nano` is what a customer costs anyway, `kept_share` what is left of revenue after costs in per cent.
    """
    kinds = list(_kinds(options))
    overage_nano = _overage_nano(offer) * kept_share
    price_nano = Fraction(offer.plan.price) * NANO * kept_share
    dearest = _solve(offer, kinds, Fraction(0))
    thinnest = _solve(offer, kinds, overage_nano) if dearest.over else dearest

    def case(found: _Solved) -> Case:
        best = found.optimum
        earned = price_nano + found.over * overage_nano / MICRO
        cost = None if best.value is None else found.cost + fixed_cost_nano
        revenue = None if offer.money_per_usd is None or cost is None else earned
        return Case(cost_nano=cost, revenue_nano=revenue, limits=found.limits, mix=found.mix)

    return case(dearest), case(thinnest)


class _Solved(NamedTuple):
    optimum: Optimum
    cost: Fraction
    over: Fraction
    """Microcredits of overage; some where there is no end to it."""
    limits: tuple[str, ...]
    mix: tuple[MixLine, ...]


def _solve(offer: Offer, kinds: Sequence[Kind], overage_nano: Fraction) -> _Solved:
    """Maximise cost less what overage earns. The last activity is the overage itself, in microcredits."""
    names, limits = [], []
    for name, uses, bound in _rows(offer, kinds):
        names.append(name)
        limits.append((uses, bound))
    gains: Row = [*(kind.call.cost_nano for kind in kinds), -overage_nano / MICRO]
    best = maximise(gains, limits)
    calls = best.amounts[:-1]
    cost = sum((kind.call.cost_nano * count for kind, count in zip(kinds, calls, strict=True)), Fraction(0))
    endless = best.value is None and any(kind.option.overage for kind in kinds)
    over = best.amounts[-1] or Fraction(int(endless))
    mix = tuple(_line(kind, count) for kind, count in zip(kinds, calls, strict=True) if count)
    return _Solved(best, cost, over, tuple(names[row] for row in best.tight if names[row]), mix)


def _rows(offer: Offer, kinds: Sequence[Kind]) -> Iterator[tuple[str, Row, Fraction | int]]:
    """Every bound by name, with what each kind of call and a microcredit of overage take of it."""
    charged = [kind.call.microcredits for kind in kinds]
    over = [-kind.call.microcredits if kind.option.overage else 0 for kind in kinds]
    yield CREDITS, [*charged, -1], included(offer) + offer.plan.rollover_max_microcredits
    # Overage is what overage features use beyond the credits, and no more.
    yield "", [*over, 1], 0
    cap = offer.plan.spend_cap_microcredits
    if cap is not None:
        yield SPEND_CAP, [*([0] * len(kinds)), 1], cap
    for limit in _bounding(offer):
        uses = [amount(limit, kind.call) if covers(limit, kind.option) else 0 for kind in kinds]
        yield limit.key, [*uses, 0], limit.value * windows(offer, limit)


def _kinds(options: Sequence[Option]) -> Iterator[Kind]:
    """The calls a worst case can be made of: those no other of the feature and tier beats in every respect."""
    groups: dict[tuple[int, int], list[Kind]] = {}
    for option in options:
        group = groups.setdefault((option.feature.id, option.model.tier_id), [])
        group.extend(Kind(option, call) for call in option.extremes if call.cost_nano > 0)
    for group in groups.values():
        kept: list[_Taking] = []
        for kind, taking in sorted(((kind, _taking(kind.call)) for kind in group), key=lambda each: each[1].shares):
            if not any(_beats(other, taking) for other in kept):
                kept.append(taking)
                yield kind


class _Taking(NamedTuple):
    """What a nano-unit of a call's cost takes of each unit a bound may count: so many parts of a whole."""

    parts: tuple[int, int, int, int]
    whole: int

    @property
    def shares(self) -> list[Fraction]:
        return [Fraction(part, self.whole) for part in self.parts]


def _taking(call: CallFigures) -> _Taking:
    over = call.cost_nano.denominator
    units = (call.microcredits * over, call.tokens * over, over, call.cost_nanousd * over)
    return _Taking(units, call.cost_nano.numerator)


def _beats(other: _Taking, taking: _Taking) -> bool:
    """Whether it takes no more of anything. By whole numbers: calls are held against each other by the ten thousand."""
    mine, theirs = taking.whole, other.whole
    (a, b, c, d), (w, x, y, z) = other.parts, taking.parts
    return a * mine <= w * theirs and b * mine <= x * theirs and c * mine <= y * theirs and d * mine <= z * theirs


def _bounding(offer: Offer) -> list[LimitTerms]:
    return [
        limit
        for limit in offer.plan.limits
        if limit.kind == "hard" and limit.scope in _BOUNDING_SCOPES and limit.window != "draw"
    ]


def _overage_nano(offer: Offer) -> Fraction:
    """What a credit of overage earns."""
    return Fraction(offer.plan.overage_price or 0) * NANO


def _line(kind: Kind, count: Fraction) -> MixLine:
    option, call = kind
    return MixLine(
        feature=option.feature.key,
        model=option.model.key,
        calls=int(count),
        input_tokens=call.usage.input_tokens,
        output_tokens=call.usage.output_tokens,
        microcredits=int(call.microcredits * count),
        cost_nano=int(call.cost_nano * count),
    )
