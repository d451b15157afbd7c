"""What a simulation is asked: whose calls of which days, and what is to be different. Kept as JSON with the run."""

from datetime import date
from typing import Literal

import msgspec

Limits = Literal["enforce", "observe"]
"""`enforce`: a call that a hard limit, the plan or the balance would have refused does not happen. `observe`: every
call happens, as usage that is reported afterwards does; what is beyond the balance becomes overage or debt."""


class ModelMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls of one model go to another one, with the same tokens: of one feature, or of all."""

    source: str
    target: str
    feature: str | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """UTC days [starts_on, ends_on), and the candidates. What is not named stays as it was.

    `plan_version_id` is sold to whoever was on a plan of `instead_of` (default: on another version of its own plan);
    `rate_card_version_id` charges throughout, whatever version of its card was in force; `cost_card_ids` are cost
    cards, drafts included, as if published before; `moves` send calls to other models. `customers`: only these.
    """

    starts_on: date
    ends_on: date
    plan_version_id: int | None = None
    instead_of: tuple[str, ...] = ()
    rate_card_version_id: int | None = None
    cost_card_ids: tuple[int, ...] = ()
    moves: tuple[ModelMove, ...] = ()
    limits: Limits = "enforce"
    customers: tuple[str, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Whether it asks what happened, not what if."""
        return not (self.plan_version_id or self.rate_card_version_id or self.cost_card_ids or self.moves)
