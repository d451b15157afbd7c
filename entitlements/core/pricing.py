"""What an action is worth to both sides: the credits we charge and what the supplier charges us."""

from datetime import datetime
from typing import Protocol

from kernel.usage import Usage
from metering.costing import Call, Costed
from plans.catalogue import Catalogue
from plans.rating import Charge, rate
from plans.terms import ModelTerms, PlanTerms


class CostSource(Protocol):
    """Where costs come from: metering's catalogue, or a table in a test."""

    def cost(self, usage: Usage, call: Call) -> Costed:
        """The cost in nano-USD and its card; unpriced (None) where nobody knows a price: unknown is never zero."""
        ...


def charge_for(
    catalogue: Catalogue,
    plan: PlanTerms | None,
    *,
    feature_id: int,
    model: ModelTerms | None,
    usage: Usage,
    at: datetime,
) -> Charge | None:
    """What the plan's rate card in force at `at` charges. None: no plan, no card then, or no matching rate."""
    if plan is None:
        return None
    card = catalogue.rate_card(plan.rate_card_id, at)
    if card is None:
        return None
    return rate(card, feature_id=feature_id, model=model, usage=usage)
