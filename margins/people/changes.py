"""The bridge of supplier cost between two stretches of days, asked of the daily rollup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import F, Sum

from kernel.usage import COLUMN_FIELDS, Usage, split
from margins.people.bridge import NO_EFFECT, Bridge, Effects, Side, bridge
from margins.period import Period
from metering.costing import Call, CostCatalogue
from metering.costing.queries import current_catalogue
from metering.models import UsageDay
from plans.models import AIModel, Feature

WORK_ASSUMPTION: Final = (
    "Work is tokens of every kind at the list or card prices just before the later period, so the price effect is "
    "what the same tokens cost more or less: falling prices, batch discounts and memoised answers. Models "
    "without a price list are measured in tokens."
)


class Item(NamedTuple):
    """What cost is compared by: a feature (its key, "" for none) on a model ("" for none)."""

    feature: str
    model: str


@dataclass(frozen=True, slots=True)
class Change:
    """Two periods and the bridge between their supplier costs, in nano-USD."""

    before: Period
    after: Period
    bridge: Bridge[Item]
    unpriced_before: int
    unpriced_after: int

    def merged(self, by: str) -> list[tuple[str, Side, Side, Effects]]:
        """Effects by `feature` or by `model`, those that moved the cost most first. They sum to the bridge's."""
        sums: dict[str, tuple[Side, Side, Effects]] = {}
        for item, (old, new, effects) in self.bridge.items.items():
            key = getattr(item, by)
            first, second, upto = sums.get(key, (Side(), Side(), NO_EFFECT))
            sums[key] = (_plus(first, old), _plus(second, new), upto.plus(effects))
        rows = [(key, *sides) for key, sides in sums.items()]
        return sorted(rows, key=lambda row: (-abs(row[2].cost - row[1].cost), row[0]))


def previous(period: Period) -> Period:
    """The stretch of the same length just before."""
    return Period(period.start - timedelta(days=period.days), period.start)


def cost_change(before: Period, after: Period) -> Change:
    """What changed the supplier cost between two stretches. Calls whose cost nobody knows are left out, and counted."""
    providers = dict(AIModel.objects.values_list("key", "provider"))
    features = dict(Feature.objects.values_list("id", "key"))
    weigh = _Scales(current_catalogue(), providers, after.start)
    unpriced: list[int] = []
    sides: list[dict[Item, Side]] = []
    for period in (before, after):
        rows = _rows(period)
        unpriced.append(sum(row["unpriced"] for row in rows))
        sides.append(
            {
                Item(features.get(row["feature_id"], ""), row["model"]): Side(
                    row["priced"], weigh(row["model"], row), row["cost"]
                )
                for row in rows
                if row["priced"]
            }
        )
    return Change(before, after, bridge(*sides), *unpriced)


class _Scales:
    """Weighs tokens at one price list, so that work of one model can be compared between periods."""

    def __init__(self, catalogue: CostCatalogue, providers: Mapping[str, str], day: date) -> None:
        self._catalogue, self._providers = catalogue, providers
        self._at = datetime.combine(day, time.min, UTC) - timedelta(microseconds=1)

    def __call__(self, model: str, sums: Mapping[str, Any]) -> int:
        usage = Usage(**{field: sums[field] for field in COLUMN_FIELDS})
        rates = self._catalogue.rates(Call(self._providers.get(model), model or None, self._at))
        if rates is None:
            return usage.input_tokens + usage.output_tokens
        prices = rates.base.numerators
        return sum(prices.get(kind, 0) * quantity for kind, quantity in split(usage, prices.keys()).items())


def _rows(period: Period) -> Sequence[Mapping[str, Any]]:
    days = UsageDay.objects.filter(day__gte=period.start, day__lt=period.end)
    sums: Any = days.values("feature_id", "model").annotate(
        priced=Sum(F("calls") - F("unpriced_calls")),
        unpriced=Sum("unpriced_calls"),
        cost=Sum("cost_nanousd"),
        **{field: Sum(field) for field in COLUMN_FIELDS},
    )
    return [{name: value if name == "model" else int(value) for name, value in row.items()} for row in sums.order_by()]


def _plus(one: Side, other: Side) -> Side:
    return Side(calls=one.calls + other.calls, cost=one.cost + other.cost)
