from margins.models.cost_line import CostLine
from margins.models.revenue import ArchivedPlace, RevenueDay, RevenueMark, RevenueMonth

__all__ = ["ArchivedPlace", "CostLine", "RevenueDay", "RevenueMark", "RevenueMonth"]
