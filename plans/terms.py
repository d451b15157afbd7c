"""What is sold, as plain immutable values: the form the gate decides from and tests write by hand.

Loaded from the database by plans/catalogue.py. No Django here.
"""

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import msgspec

from kernel.units import MICROCREDITS_PER_CREDIT, NANOUSD_PER_USD


class FeatureTerms(msgspec.Struct, frozen=True, gc=False):
    """A keyed capability; `kind` is boolean, static or metered."""

    id: int
    key: str
    name: str
    kind: str


class TierTerms(msgspec.Struct, frozen=True, gc=False):
    """A rank of models; a higher `rank` is dearer."""

    id: int
    key: str
    name: str
    rank: int


class ModelTerms(msgspec.Struct, frozen=True, gc=False):
    """A family of provider model ids that is sold and rated as one, with the tier it is in."""

    id: int
    key: str
    provider: str
    tier_id: int
    tier_key: str
    tier_rank: int


class RateTerms(msgspec.Struct, frozen=True):
    """One row of a rate card. Empty selectors match everything; amounts are microcredits ≥ 0.

    `per_million` gives microcredits per million of a usage kind (kernel.usage.Usage's fields).
    """

    id: int
    feature_id: int | None
    model_id: int | None
    tier_id: int | None
    action_microcredits: int
    minimum_microcredits: int
    per_million: dict[str, int]


Selector = tuple[int | None, int | None, int | None]
"""What a rate row applies to: (feature id, model id, tier id)."""


class RateCardTerms(msgspec.Struct, frozen=True, dict=True):
    """A published version of a rate card, in force from `effective_from` until the next one's.

    Each charge is rounded once, by `rounding` (up, half_up, half_even or down), to a multiple of
    `increment` microcredits.
    """

    version_id: int
    card_id: int
    card_key: str
    number: int
    effective_from: datetime
    rounding: str
    increment: int
    rates: tuple[RateTerms, ...]

    @cached_property
    def by_selector(self) -> dict[Selector, RateTerms]:
        """The rows by what they apply to; the database makes that unique."""
        return {(row.feature_id, row.model_id, row.tier_id): row for row in self.rates}

    @cached_property
    def pricers(self) -> dict[Selector, Any]:
        """Where plans/rating.py keeps the row it found for a (feature, model, tier), ready to price."""
        return {}


class EntitlementTerms(msgspec.Struct, frozen=True):
    """A feature the plan includes, up to a tier rank (None: every tier).

    `at_limit` is deny, downgrade or overage; `config` is the value of a static feature.
    """

    feature_id: int
    max_rank: int | None
    at_limit: str
    config: Any


class LimitTerms(msgspec.Struct, frozen=True, cache_hash=True):
    """Something besides the balance that says no, or warns. `value` is in `unit`'s smallest unit.

    Units: calls, tokens, credits (microcredits), cost (nano-USD).
    """

    id: int
    key: str
    scope: str
    feature_id: int | None
    tier_id: int | None
    tier_rank: int | None
    unit: str
    window: str
    kind: str
    value: int
    warn_at_percent: tuple[int, ...]


LIMIT_SCALES: Final = {"calls": 1, "tokens": 1, "credits": MICROCREDITS_PER_CREDIT, "cost": NANOUSD_PER_USD}
"""How many of what a limit's `value` holds make one of what people write: a credit, a US dollar."""


def limit_in_unit(value: int, unit: str) -> Decimal:
    """A limit's value as people write it: 1_500_000 microcredits → 1.5 credits. Exact."""
    amount = Decimal(value) / LIMIT_SCALES[unit]
    return Decimal(f"{amount.normalize():f}")


SHARED_SCOPES: Final = ("plan", "everyone")
"""Scopes many customers draw on together. A counter for all of them would be one row for every call to wait for, so
what they have used is read from the rollups of usage."""

SHARED_WINDOWS: Final = ("day", "period", "lifetime")
"""What rollups can tell: whole UTC days and calendar months."""


def window_fault(scope: str, window: str) -> str | None:
    """Why a limit of this scope cannot have this window; None when it can."""
    if window == "run" and scope != "run":
        return "a window of a run needs the scope of each run"
    if scope in SHARED_SCOPES and window not in SHARED_WINDOWS:
        return f"what many customers share is counted by {', '.join(SHARED_WINDOWS[:-1])} or {SHARED_WINDOWS[-1]}"
    return None


class PlanTerms(msgspec.Struct, frozen=True):
    """A published or retired plan version. `id` is the version's; prices are exact decimal strings."""

    id: int
    plan_key: str
    plan_name: str
    number: int
    status: str
    price: str
    currency: str
    interval: str
    rate_card_id: int
    included_microcredits: int
    allowance_renewal: str
    rollover_max_microcredits: int
    allowance_priority: int
    unpriced: str
    overage_price: str | None
    spend_cap_microcredits: int | None
    entitlements: dict[int, EntitlementTerms]
    limits: tuple[LimitTerms, ...]
    fallbacks: tuple[ModelTerms, ...]
    grace: str = "keep"
    """What is left of the plan when a payment stays overdue for longer than `grace_days`: keep, soft_limit, block."""
    grace_days: int = 0
