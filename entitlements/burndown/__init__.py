"""How usage consumes grants: the burn order, and what is left of each grant over time. Pure.

`burn_key`, `burn_order` and `burn` decide which grant pays; the ledger attributes every burn with
them. `run` carries grants through activation, recurrence, expiry and resets, and explains each
step. Amounts are integer microcredits. Why the rules are as they are: docs/adr/0005.
"""

from entitlements.burndown.engine import run
from entitlements.burndown.model import (
    BurndownError,
    Event,
    Grant,
    GrantUsage,
    Result,
    Segment,
    Snapshot,
    UsageEnd,
)
from entitlements.burndown.order import Burnable, burn, burn_key, burn_order

__all__ = [
    "BurndownError",
    "Burnable",
    "Event",
    "Grant",
    "GrantUsage",
    "Result",
    "Segment",
    "Snapshot",
    "UsageEnd",
    "burn",
    "burn_key",
    "burn_order",
    "run",
]
