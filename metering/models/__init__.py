from metering.models.archive import ArchivedUsageDay
from metering.models.cost_card import CostCard, CostRate
from metering.models.rerating import CostAdjustment, Rerating
from metering.models.rollup import UsageDay, UsageMonth
from metering.models.usage_event import UsageEvent, UsageTombstone

__all__ = [
    "ArchivedUsageDay",
    "CostAdjustment",
    "CostCard",
    "CostRate",
    "Rerating",
    "UsageDay",
    "UsageEvent",
    "UsageMonth",
    "UsageTombstone",
]
