from margins.models.cost_line import CostLine
from margins.models.feature_benefit import FeatureBenefit
from margins.models.revenue import ArchivedPlace, RevenueDay, RevenueMark, RevenueMonth
from margins.models.setting import FxRate, MarginSetting
from margins.models.simulation import Simulation, SimulationRow

__all__ = [
    "ArchivedPlace",
    "CostLine",
    "FeatureBenefit",
    "FxRate",
    "MarginSetting",
    "RevenueDay",
    "RevenueMark",
    "RevenueMonth",
    "Simulation",
    "SimulationRow",
]
