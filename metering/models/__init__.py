from metering.models.archive import ArchivedUsageDay
from metering.models.cost_card import CostCard, CostRate
from metering.models.rollup import UsageDay, UsageMonth
from metering.models.usage_event import UsageEvent, UsageTombstone

__all__ = ["ArchivedUsageDay", "CostCard", "CostRate", "UsageDay", "UsageEvent", "UsageMonth", "UsageTombstone"]
