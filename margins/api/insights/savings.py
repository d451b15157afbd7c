"""GET /v1/insights/savings."""

from fractions import Fraction
from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import TextField, UsdField
from entitlements.models import Customer
from kernel.errors import InvalidInput
from margins.api.insights import examples
from margins.api.insights.base import InsightAnswer, InsightView, RatioField, answered
from margins.api.query import PeriodQuery
from margins.queries.margins import Scope
from margins.savings.advice import Advice
from margins.savings.caching import CacheUse
from margins.savings.events import savings_of
from margins.savings.hosting import Server, Threshold, Verdict
from margins.savings.links import Links
from margins.savings.saved import ASSUMPTION, Means, Saving
from margins.savings.spend import Model, Task
from margins.savings.tiers import TaskTiers
from margins.units import ratio


class SavedFigures(serializers.Serializer[Any]):
    """What one means saved on one task and model."""

    means = serializers.ChoiceField(choices=list(Means))
    feature = serializers.CharField(allow_blank=True)
    action = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    instead_of = serializers.CharField(allow_null=True, help_text="The dearer model, for a cheaper tier.")
    calls = serializers.IntegerField()
    saved_usd = UsdField(source="saved", help_text="Negative: it cost more than it saved.")
    assumption = serializers.CharField()
    events = serializers.CharField(help_text="The usage list of the admin, filtered to these calls.")


class AdviceFigures(serializers.Serializer[Any]):
    """What would have saved more."""

    means = serializers.ChoiceField(choices=list(Means))
    feature = serializers.CharField(allow_blank=True)
    action = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_null=True, help_text="Only calls on this model.")
    to_model = serializers.CharField(allow_null=True)
    calls = serializers.IntegerField()
    cost_usd = UsdField(source="cost")
    saves_alone_usd = UsdField(source="alone")
    saves_usd = UsdField(source="together", help_text="Of what the advice before it in order leaves: adds up.")
    assumption = serializers.CharField()
    events = serializers.CharField(help_text="The usage list of the admin, filtered to these calls.")


class CacheFigures(serializers.Serializer[Any]):
    """A prompt family: a task on a model."""

    feature = serializers.CharField(allow_blank=True)
    action = serializers.CharField(allow_blank=True)
    model = serializers.CharField(allow_blank=True)
    calls = serializers.IntegerField()
    write_premium = RatioField(help_text="How much more a write costs than fresh input: 0.25 is 25 %.")
    read_discount = RatioField(help_text="How much less a read costs: 0.9 is 90 %.")
    break_even_reads_per_write = RatioField(help_text="Null: reads are no cheaper.")
    reads_per_write = RatioField(help_text="Null: no writes are counted.")
    read_share = RatioField(help_text="Of input tokens.")
    saved_usd = UsdField(source="saved")
    verdict = serializers.ChoiceField(choices=["pays", "loses", "unused"])


class TaskFigures(serializers.Serializer[Any]):
    """A task's calls by tier."""

    feature = serializers.CharField(allow_blank=True)
    action = serializers.CharField(allow_blank=True)
    calls = serializers.IntegerField()
    memoised_share = RatioField()
    batch_share = RatioField()
    cheaper_share = RatioField(help_text="Calls handled below the dearest tier in use.")
    by_tier = serializers.DictField(child=serializers.IntegerField())
    small_model = serializers.CharField(allow_null=True)
    large_model = serializers.CharField(allow_null=True)
    break_even_failures = RatioField(
        help_text="The share of the small model's answers that may be asked again of the large one while it pays."
    )


class ServerFigures(serializers.Serializer[Any]):
    """What is assumed of a server of one's own."""

    usd_per_month = serializers.IntegerField()
    tokens_per_second = serializers.IntegerField()
    busy_percent = serializers.IntegerField()


class ThresholdFigures(serializers.Serializer[Any]):
    """A model, bought or served by oneself. A month is 30 days."""

    model = serializers.CharField(allow_blank=True)
    tokens_per_month = serializers.IntegerField()
    usd_per_month = UsdField(source="nanousd_per_month")
    break_even_tokens_per_month = serializers.IntegerField(source="break_even_tokens", allow_null=True)
    verdict = serializers.ChoiceField(choices=list(Verdict))


class BuildOrBuy(serializers.Serializer[Any]):
    """From how many tokens a month a server pays."""

    server = ServerFigures()
    models = ThresholdFigures(many=True)


class SavingsAnswer(InsightAnswer):
    """What was saved, and what would have been."""

    calls = serializers.IntegerField(help_text="Events of these days that are not archived.")
    unpriced_calls = serializers.IntegerField(help_text="Left out: nobody knows what they cost.")
    cost_usd = UsdField(source="cost")
    saved_usd = UsdField(source="all_saved")
    would_save_usd = UsdField(source="would_save", help_text="All advice together, each dollar once.")
    saved = SavedFigures(many=True)
    advice = AdviceFigures(many=True)
    caches = CacheFigures(many=True)
    tasks = TaskFigures(many=True)
    build_or_buy = BuildOrBuy()


_GUESS = Server()

MAX_DAYS_OF_EVENTS: Final = 93
"""Every event of every customer: a quarter of them is what one answer may be asked to read."""


class SavingsQuery(PeriodQuery):
    customer = TextField(required=False, help_text="One customer's key.")
    usd_per_month = serializers.IntegerField(
        min_value=1, max_value=10**9, default=_GUESS.usd_per_month, help_text="Rent of a server."
    )
    tokens_per_second = serializers.IntegerField(
        min_value=1, max_value=10**9, default=_GUESS.tokens_per_second, help_text="What it serves when busy."
    )
    busy_percent = serializers.IntegerField(
        min_value=1, max_value=100, default=_GUESS.busy_percent, help_text="How much of the time it is."
    )


class SavingsView(InsightView):
    query_serializer = SavingsQuery

    @extend_schema(responses=SavingsAnswer, examples=examples.SAVINGS)
    def get(self, request: Request) -> Response:
        """What caching, batches, cheaper tiers and answers of your own saved, and would have saved.

        Reads every event of the days. Each figure names its events and what it assumes, and no dollar is in a total
        twice.
        """
        period, now = self.asked()
        customers = None
        if (key := self.query.get("customer")) is not None:
            customers = list(Customer.objects.filter(key=key).values_list("id", flat=True))
            if not customers:
                raise InvalidInput(f"no customer has the key {key!r}", field="customer")
        assumed = {name: self.query[name] for name in ("usd_per_month", "tokens_per_second", "busy_percent")}
        if customers is None and period.days > MAX_DAYS_OF_EVENTS:
            detail = f"of every customer must be at most {MAX_DAYS_OF_EVENTS} days after from; or name a customer"
            raise InvalidInput(detail, field="to")
        found = savings_of(Scope(*period, customers), server=Server(**assumed))
        links, more = Links(period), {"customer__id__exact": str(customers[0])} if customers else {}
        return answered(
            SavingsAnswer,
            period,
            now,
            calls=found.calls,
            unpriced_calls=found.unpriced_calls,
            cost=found.cost_nanousd,
            all_saved=found.saved_nanousd,
            would_save=found.would_save_nanousd,
            saved=[_saved(one, links, more) for one in found.saved],
            advice=[_advice(one, links, more) for one in found.advice],
            caches=[_cache(one) for one in found.caches],
            tasks=[_task(one) for one in found.tasks],
            build_or_buy={"server": assumed, "models": [_threshold(one) for one in found.hosting]},
        )


def _which(task: Task) -> dict[str, str]:
    return {"feature": task.feature, "action": task.action}


def _key(model: Model | None) -> str | None:
    return None if model is None else model.key


def _ratio(share: Fraction | None) -> str | None:
    return None if share is None else ratio(share.numerator, share.denominator)


def _saved(one: Saving, links: Links, more: dict[str, str]) -> dict[str, Any]:
    return _which(one.task) | {
        "means": one.means,
        "model": one.model.key,
        "instead_of": one.instead or None,
        "calls": one.calls,
        "saved": one.saved_nanousd,
        "assumption": ASSUMPTION[one.means],
        "events": links.events(one.task, one.model, one.means, more),
    }


def _advice(one: Advice, links: Links, more: dict[str, str]) -> dict[str, Any]:
    return _which(one.move.task) | {
        "means": one.move.means,
        "model": _key(one.move.model),
        "to_model": _key(one.move.to),
        "calls": one.calls,
        "cost": one.cost_nanousd,
        "alone": one.alone_nanousd,
        "together": one.together_nanousd,
        "assumption": one.move.assumption,
        "events": links.events(one.move.task, one.move.model, more=more),
    }


def _cache(one: CacheUse) -> dict[str, Any]:
    return _which(one.task) | {
        "model": one.model.key,
        "calls": one.calls,
        "write_premium": _ratio(one.write_premium),
        "read_discount": _ratio(one.read_discount),
        "break_even_reads_per_write": _ratio(one.break_even),
        "reads_per_write": _ratio(one.reads_per_write),
        "read_share": _ratio(one.read_share),
        "saved": round(one.saved),
        "verdict": "unused" if not one.is_used else "loses" if one.loses else "pays",
    }


def _task(one: TaskTiers) -> dict[str, Any]:
    return _which(one.task) | {
        "calls": one.calls,
        "memoised_share": ratio(one.memoised, one.calls),
        "batch_share": ratio(one.batched, one.calls),
        "cheaper_share": _ratio(one.cheaper_share),
        "by_tier": one.by_tier,
        "small_model": _key(one.small),
        "large_model": _key(one.large),
        "break_even_failures": _ratio(one.break_even),
    }


def _threshold(one: Threshold) -> dict[str, Any]:
    return one._asdict() | {"model": one.model.key}
