from margins.models.cost_line import CostLine

__all__ = ["CostLine"]
