"""What an action is worth to both sides: the credits we charge and what the supplier charges us."""

from datetime import datetime
from typing import Protocol

from kernel.usage import Usage
from plans.catalogue import Catalogue
from plans.rating import Charge, rate
from plans.terms import ModelTerms, PlanTerms


class PricedCost(Protocol):
    """A supplier's cost with the card it was read from."""

    @property
    def nanousd(self) -> int: ...
    @property
    def cost_card(self) -> str: ...


class CostSource(Protocol):
    """Where costs come from: metering's catalogue, or a table in a test."""

    def cost(
        self,
        *,
        provider: str | None,
        model: str,
        usage: Usage,
        at: datetime,
        processing: str | None,
        region: str | None,
    ) -> PricedCost | None:
        """The cost in nano-USD, or None where nobody knows a price: unknown is never zero."""
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
