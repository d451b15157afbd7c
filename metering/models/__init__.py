from metering.models.rollup import UsageDay, UsageMonth
from metering.models.usage_event import UsageEvent, UsageTombstone

__all__ = ["UsageDay", "UsageEvent", "UsageMonth", "UsageTombstone"]
