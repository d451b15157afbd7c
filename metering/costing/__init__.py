"""What a call cost us: exact rates (rates.py), where they come from (catalogue.py), and our corrections of them."""

from metering.costing.catalogue import Call, CostCatalogue, Costed, default_catalogue
from metering.costing.overrides import CardRow, Override, load_overrides
from metering.costing.rates import CostRates, cost

__all__ = [
    "Call",
    "CardRow",
    "CostCatalogue",
    "CostRates",
    "Costed",
    "Override",
    "cost",
    "default_catalogue",
    "load_overrides",
]
