"""GET /v1/insights/bridge and /v1/insights/runs."""

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import TextField, UsdField
from entitlements.models import Customer, Run
from entitlements.queries.runs import tree_of
from kernel.errors import InvalidInput
from kernel.ids import key_digest
from margins.api.insights import examples
from margins.api.insights.base import InsightAnswer, InsightView, answered
from margins.api.query import DayField, PeriodQuery
from margins.people.bridge import Effects
from margins.people.changes import WORK_ASSUMPTION, Change, cost_change, previous
from margins.people.trees import depth_of_trees, tree_levels
from margins.period import EARLIEST, Period


class EffectFigures(serializers.Serializer[Effects]):
    """What each change did to the cost; they sum to the difference."""

    volume_usd = UsdField(source="volume", help_text="All calls grew like the calls in all.")
    mix_usd = UsdField(source="mix", help_text="Calls moved between features and models.")
    size_usd = UsdField(source="size", help_text="Calls became longer or shorter.")
    price_usd = UsdField(source="price", help_text="The same work cost more or less.")


class SideFigures(serializers.Serializer[Any]):
    """One of the two periods."""

    calls = serializers.IntegerField(help_text="Whose cost is known.")
    unpriced_calls = serializers.IntegerField(help_text="Left out.")
    cost_usd = UsdField(source="cost")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's."""
        days: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            "from": serializers.DateField(source="start"),
            "to": serializers.DateField(source="end"),
        }
        return days | super().get_fields()


class ItemFigures(serializers.Serializer[Any]):
    """One feature or model of both periods."""

    feature = serializers.CharField(required=False, allow_blank=True)
    model = serializers.CharField(required=False, allow_blank=True)
    calls_before = serializers.IntegerField()
    calls_after = serializers.IntegerField()
    cost_before_usd = UsdField(source="cost_before")
    cost_after_usd = UsdField(source="cost_after")
    effects = EffectFigures()


class BridgeAnswer(InsightAnswer):
    """Why supplier cost changed."""

    assumption = serializers.CharField(help_text="What work is measured in.")
    before = SideFigures()
    after = SideFigures()
    difference_usd = UsdField(source="difference")
    effects = EffectFigures()
    data = ItemFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class


class BridgeQuery(PeriodQuery):
    by = serializers.ChoiceField(choices=["model", "feature"], default="model", help_text="What the rows are.")
    against = DayField(
        required=False,
        help_text="The first day of as many days to compare with. Default: those just before `from`.",
    )


class BridgeView(InsightView):
    query_serializer = BridgeQuery

    @extend_schema(responses=BridgeAnswer, examples=examples.BRIDGE)
    def get(self, request: Request) -> Response:
        """Why supplier cost changed since the days before: volume, mix, size and price. The four sum to the difference
        exactly, in all and in every row.
        """
        period, now = self.asked()
        against = self.query.get("against")
        change = cost_change(previous(period) if against is None else _against(against, period), period)
        bridge, by = change.bridge, self.query["by"]
        return answered(
            BridgeAnswer,
            period,
            now,
            assumption=WORK_ASSUMPTION,
            before=_side(change.before, bridge.before.calls, bridge.before.cost, change.unpriced_before),
            after=_side(change.after, bridge.after.calls, bridge.after.cost, change.unpriced_after),
            difference=bridge.effects.total,
            effects=bridge.effects,
            data=_items(change, by),
        )


def _against(start: date, period: Period) -> Period:
    """As many days from `start`. Raises InvalidInput when they are out of range or reach into the period."""
    if start < EARLIEST or start > period.start - (period.end - period.start):
        raise InvalidInput("must be as many days before from as there are up to to, and after 1999", field="against")
    return Period(start, start + (period.end - period.start))


def _side(period: Period, calls: int, cost: int, unpriced: int) -> dict[str, Any]:
    return {"start": period.start, "end": period.end, "calls": calls, "cost": cost, "unpriced_calls": unpriced}


def _items(change: Change, by: str) -> list[dict[str, Any]]:
    return [
        {
            by: key,
            "calls_before": old.calls,
            "calls_after": new.calls,
            "cost_before": old.cost,
            "cost_after": new.cost,
            "effects": effects,
        }
        for key, old, new, effects in change.merged(by)
    ]


class LevelFigures(serializers.Serializer[Any]):
    """One depth of a tree."""

    depth = serializers.IntegerField(help_text="1 is the outermost run.")
    runs = serializers.IntegerField()
    steps = serializers.IntegerField(help_text="Calls made at this depth.")
    cost_usd = UsdField(source="cost", help_text="Of this depth's own calls.")
    upto_usd = UsdField(source="upto", help_text="What the tree would have cost, had it stopped here.")


class TreesFigures(serializers.Serializer[Any]):
    """Trees of one depth."""

    depth = serializers.IntegerField()
    trees = serializers.IntegerField()
    runs = serializers.IntegerField()
    steps = serializers.IntegerField()
    cost_usd = UsdField(source="cost_nanousd")
    cost_per_tree_usd = UsdField(source="per_tree_nanousd")
    first_level_usd = UsdField(source="first_level_nanousd", help_text="Of the outermost runs' own calls.")


class RunsAnswer(InsightAnswer):
    """What depth adds."""

    levels = LevelFigures(many=True, help_text="Of the run asked about; empty without one.")
    trees = TreesFigures(many=True, help_text="Of all runs opened on these days; empty when one is asked about.")


class RunsInsightQuery(PeriodQuery):
    customer = TextField(required=False, help_text="With `run`: whose.")
    run = TextField(required=False, help_text="One run's own key.")


class RunsInsightView(InsightView):
    query_serializer = RunsInsightQuery

    @extend_schema(responses=RunsAnswer, examples=examples.RUNS)
    def get(self, request: Request) -> Response:
        """What depth adds to agents' runs: of one tree level by level, or of all trees by how deep they went."""
        period, now = self.asked()
        customer, key = self.query.get("customer"), self.query.get("run")
        if (customer is None) != (key is None):
            raise InvalidInput("is needed too", field="run" if key is None else "customer")
        if customer is None or key is None:
            trees = [one._asdict() | {"per_tree_nanousd": one.per_tree_nanousd} for one in depth_of_trees(period)]
            return answered(RunsAnswer, period, now, levels=[], trees=trees)
        return answered(RunsAnswer, period, now, levels=tree_levels(tree_of(_run(customer, key))), trees=[])


def _run(customer: str, key: str) -> Run:
    owner = Customer.objects.filter(key=customer).first()
    if owner is None:
        raise InvalidInput(f"no customer has the key {customer!r}", field="customer")
    found = Run.objects.filter(customer_id=owner.pk, key_digest=key_digest(key)).first()
    if found is None:
        raise InvalidInput(f"the customer has no run {key!r}", field="run")
    return found
