"""GET /v1/insights/people, /cohorts and /features."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import TextField, UsdField
from access.pagination import read_limit
from margins.api.figures import AmountField
from margins.api.insights import examples
from margins.api.insights.base import InsightAnswer, InsightView, RatioField, answered
from margins.api.query import PeriodQuery
from margins.people.benchmarks import AI_NATIVE, CLASSIC_HIGH, CLASSIC_LOW, FeatureType, Standing
from margins.people.cohorts import Cohort, cohort_costs
from margins.people.features import FeaturePayback, FeatureStanding, feature_paybacks, feature_standings
from margins.people.heavy import Concentration
from margins.people.users import REVENUE_ASSUMPTION, people
from margins.queries.margins import Dimension
from margins.units import FEMTO_PER_UNIT, ratio


class TopFigures(serializers.Serializer[Any]):
    """The heaviest few."""

    percent = serializers.IntegerField(help_text="1, 5 or 10.")
    people = serializers.IntegerField(help_text="How many that is, rounded up.")
    cost_usd = UsdField(source="cost")
    share = RatioField(help_text="Of all cost, to six places.")


class SpreadFigures(serializers.Serializer[Any]):
    """How cost is held."""

    people = serializers.IntegerField()
    cost_usd = UsdField(source="cost")
    median_usd = UsdField(source="median", help_text="Nearest rank.")
    p95_usd = UsdField(source="p95")
    tops = TopFigures(many=True)


class PersonFigures(serializers.Serializer[Any]):
    """A user of a customer."""

    customer = serializers.CharField()
    user = serializers.CharField(allow_blank=True, help_text="Empty: usage that named no user.")
    calls = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    cost_usd = UsdField(source="cost_nanousd")
    revenue = AmountField(source="revenue_femto", allow_null=True, help_text="In USD; null in another currency.")
    covered = serializers.BooleanField(allow_null=True, help_text="Whether revenue is at least cost.")


class PeopleAnswer(InsightAnswer):
    """Who holds the cost."""

    assumption = serializers.CharField(help_text="How revenue is divided among users.")
    unpriced_calls = serializers.IntegerField(help_text="Missing from every cost here.")
    uncovered_users = serializers.IntegerField(help_text="Users who cost more than they bring.")
    users = SpreadFigures()
    customers = SpreadFigures()
    p95_user = PersonFigures(allow_null=True)
    heaviest = PersonFigures(many=True)


class PeopleQuery(PeriodQuery):
    limit = TextField(required=False, help_text="How many of the heaviest users, 1 to 200. Default: 50.")


class PeopleView(InsightView):
    query_serializer = PeopleQuery

    @extend_schema(responses=PeopleAnswer, examples=examples.PEOPLE)
    def get(self, request: Request) -> Response:
        """Who holds the cost: the share of the heaviest 1, 5 and 10 %, and whether the 95th percentile is covered."""
        period, now = self.asked()
        limit = read_limit(self.query.get("limit"))
        found = people(period, self.margins(period, Dimension.CUSTOMER, now))
        return answered(
            PeopleAnswer,
            period,
            now,
            assumption=REVENUE_ASSUMPTION,
            unpriced_calls=found.unpriced_calls,
            uncovered_users=len(found.uncovered),
            users=_spread(found.of_users),
            customers=_spread(found.of_customers),
            p95_user=found.p95,
            heaviest=found.users[:limit],
        )


def _spread(of: Concentration) -> dict[str, Any]:
    return of._asdict() | {"tops": [top._asdict() | {"share": ratio(top.cost, of.cost)} for top in of.tops]}


class CohortMonth(serializers.Serializer[Any]):
    """A cohort in one calendar month."""

    month = serializers.DateField()
    age = serializers.IntegerField(allow_null=True, help_text="Months since the cohort's first.")
    active = serializers.IntegerField(help_text="Customers of it who used anything.")
    calls = serializers.IntegerField()
    unpriced_calls = serializers.IntegerField()
    cost_usd = UsdField(source="cost_nanousd")
    cost_per_active_usd = UsdField(source="cost_per_active")


class CohortFigures(serializers.Serializer[Any]):
    """Customers by the month of their first subscription."""

    month = serializers.DateField(allow_null=True, help_text="Null: never subscribed.")
    customers = serializers.IntegerField()
    cost_usd = UsdField(source="cost_nanousd")
    months = CohortMonth(many=True)


class CohortsAnswer(InsightAnswer):
    """What each cohort costs as it grows older."""

    data = CohortFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class


class CohortsView(InsightView):
    @extend_schema(responses=CohortsAnswer, examples=examples.COHORTS)
    def get(self, request: Request) -> Response:
        """Cost per cohort over time. Whole calendar months (UTC), from the one `from` is in.

        `/v1/margins?by=cohort` has the margins.
        """
        period, now = self.asked()
        return answered(CohortsAnswer, period, now, data=[_cohort(one) for one in cohort_costs(period)])


def _cohort(cohort: Cohort) -> dict[str, Any]:
    months = [
        cell._asdict() | {"age": cohort.age(cell), "cost_per_active": cell.cost_per_active} for cell in cohort.cells
    ]
    return cohort._asdict() | {"cost_nanousd": cohort.cost_nanousd, "months": months}


class Benchmarks(serializers.Serializer[Any]):
    """Gross margins of others."""

    ai_native = serializers.CharField()
    classic_low = serializers.CharField()
    classic_high = serializers.CharField()


class StandingFigures(serializers.Serializer[Any]):
    """A feature among the benchmarks."""

    feature = serializers.CharField(allow_null=True, help_text="Null: unallocated, no usage that day.")
    type = serializers.ChoiceField(choices=list(FeatureType), help_text="`ai`: its use costs inference.")
    currency = serializers.CharField(help_text="What the customers are billed in.")
    margin_ratio = RatioField(help_text="Null without revenue, or without an exchange rate.")
    standing = serializers.ChoiceField(choices=list(Standing), allow_null=True)
    gap_points = serializers.CharField(
        allow_null=True, help_text="Percentage points above the least margin of its type: 52 % or 75 %."
    )


class PaybackFigures(serializers.Serializer[Any]):
    """What a feature costs and is said to earn, per user and calendar month."""

    feature = serializers.CharField()
    kind = serializers.CharField(help_text="churn, expansion, support or other.")
    assumption = serializers.CharField()
    currency = serializers.CharField()
    users = serializers.IntegerField(allow_null=True, help_text="Active ones. Null: cost is in another currency.")
    cost = AmountField(allow_null=True)
    benefit = AmountField()
    net = AmountField(allow_null=True)
    benefit_per_cost = RatioField()
    pays = serializers.BooleanField(allow_null=True)
    investment = AmountField(help_text="What building it cost, once.")
    months_to_pay_back = RatioField(help_text="Null: never.")


class FeaturesAnswer(InsightAnswer):
    """Which features keep enough."""

    benchmarks = Benchmarks()
    data = StandingFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class
    payback = PaybackFigures(many=True)


class FeaturesView(InsightView):
    @extend_schema(responses=FeaturesAnswer, examples=examples.FEATURES)
    def get(self, request: Request) -> Response:
        """Features against the margins of others, and what they are said to earn against what they cost. Benefits are
        kept in the admin, each with its assumption.
        """
        period, now = self.asked()
        by_feature = self.margins(period, Dimension.FEATURE, now)
        return answered(
            FeaturesAnswer,
            period,
            now,
            benchmarks={"ai_native": AI_NATIVE, "classic_low": CLASSIC_LOW, "classic_high": CLASSIC_HIGH},
            data=[_standing(one) for one in feature_standings(by_feature)],
            payback=[_payback(one) for one in feature_paybacks(period, by_feature, now)],
        )


def _standing(one: FeatureStanding) -> dict[str, Any]:
    return {
        "feature": one.feature,
        "type": one.feature_type,
        "currency": one.margin.currency,
        "margin_ratio": one.margin.margin_ratio,
        "standing": one.standing,
        "gap_points": one.gap_points,
    }


def _payback(one: FeaturePayback) -> dict[str, Any]:
    benefit, paid = one.benefit, one.payback
    return {
        "feature": benefit.feature.key,
        "kind": benefit.kind,
        "assumption": benefit.assumption,
        "currency": benefit.amount.currency.code,
        "users": paid and paid.users,
        "cost": paid and paid.cost,
        "benefit": int(benefit.amount.amount * FEMTO_PER_UNIT),
        "net": paid and paid.net,
        "benefit_per_cost": paid and paid.benefit_per_cost,
        "pays": paid and paid.pays,
        "investment": int(benefit.investment.amount * FEMTO_PER_UNIT) if benefit.investment else 0,
        "months_to_pay_back": paid and paid.months,
    }
