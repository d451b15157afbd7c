"""Features held against the benchmarks, and AI features against what they are said to earn."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from kernel.sql_files import sql_file
from margins.margin import INFERENCE, SUPPLIER_CURRENCY, Margin
from margins.models import FeatureBenefit
from margins.people.asking import rows
from margins.people.benchmarks import FeatureType, Standing, gap_points, standing
from margins.people.payback import Payback, per_user_month
from margins.period import Period
from margins.queries.margins import MarginRow
from margins.units import FEMTO_PER_UNIT
from plans.models import Feature

_DAY = timedelta(days=1)


class FeatureStanding(NamedTuple):
    """A feature's margin with what it is compared to. `feature` is None for what belongs to none."""

    feature: str | None
    feature_type: FeatureType
    margin: Margin

    @property
    def standing(self) -> Standing | None:
        return standing(self.margin.margin_ratio)

    @property
    def gap_points(self) -> str | None:
        return gap_points(self.margin.margin_ratio, self.feature_type)


def feature_standings(by_feature: Sequence[MarginRow]) -> list[FeatureStanding]:
    """Every feature, the one furthest below its benchmark first. A feature that costs inference is an AI feature."""
    found = [
        FeatureStanding(
            None if row.key[0] is None else str(row.key[0]),
            FeatureType.AI if _inference(row.margin) else FeatureType.CLASSIC,
            row.margin,
        )
        for row in by_feature
    ]
    return sorted(found, key=lambda one: (one.gap_points is None, Fraction(one.gap_points or 0), one.feature or ""))


def _inference(margin: Margin) -> int:
    return sum(amounts.cogs.get(INFERENCE, 0) for amounts in (margin.own, *margin.other.values()))


class FeaturePayback(NamedTuple):
    """A stated benefit and what its feature really cost. `payback` is None in a currency cost is not in."""

    benefit: FeatureBenefit
    payback: Payback | None


def feature_paybacks(period: Period, by_feature: Sequence[MarginRow], now: datetime) -> list[FeaturePayback]:
    """The payback of every feature whose benefit somebody stated for these days.

    Cost is all COGS of the feature in US dollars, per active user and calendar month of the days that
    have begun; `by_feature` are the margins of the same days.
    """
    end = min(period.end, now.date() + _DAY)
    users: dict[int, int] = dict(rows(sql_file("margins", "feature_users"), {"start": period.start, "end": end}))
    costs: dict[str, int] = {}
    for row in by_feature:
        for currency, amounts in ((row.margin.currency, row.margin.own), *row.margin.other.items()):
            if currency == SUPPLIER_CURRENCY and row.key[0] is not None:
                costs[str(row.key[0])] = costs.get(str(row.key[0]), 0) + amounts.total_cogs
    months = months_in(period.start, end)
    return [
        FeaturePayback(
            benefit, _payback(benefit, costs.get(benefit.feature.key, 0), users.get(benefit.feature_id, 0), months)
        )
        for benefit in stated_benefits(end - _DAY)
    ]


def stated_benefits(day: date) -> list[FeatureBenefit]:
    """The benefit of each feature that holds on a day, those of zero left out, by feature."""
    latest = FeatureBenefit.objects.filter(starts_on__lte=day).order_by("feature__key", "-starts_on")
    return [one for one in latest.select_related("feature").distinct("feature__key") if one.amount.amount]


def _payback(benefit: FeatureBenefit, cost: int, users: int, months: Fraction) -> Payback | None:
    if benefit.amount.currency.code != SUPPLIER_CURRENCY:
        return None
    return Payback(
        per_user_month(cost, users=users, months=months),
        int(benefit.amount.amount * FEMTO_PER_UNIT),
        users,
        int(benefit.investment.amount * FEMTO_PER_UNIT) if benefit.investment else 0,
    )


def months_in(start: date, end: date) -> Fraction:
    """How many calendar months [start, end) is, parts of a month by its days: November is 1, half of it a half."""
    months, first = Fraction(0), start
    while first < end:
        this = first.replace(day=1)
        following = (this + timedelta(days=31)).replace(day=1)
        months += Fraction((min(end, following) - first).days, (following - this).days)
        first = following
    return months


def features_without_benefit() -> list[str]:
    """Metered features nobody has ever stated a benefit for: what to ask product about."""
    stated = FeatureBenefit.objects.values("feature_id")
    metered = Feature.objects.filter(kind=Feature.Kind.METERED).exclude(id__in=stated)
    return list(metered.order_by("key").values_list("key", flat=True))
