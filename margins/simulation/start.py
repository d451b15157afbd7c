"""How a customer stood at the start of a simulation, and what became of them that no plan decides. Plain values."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from entitlements.core.account import OwnEntitlement


class Subscribed(NamedTuple):
    """A subscription that overlaps the period."""

    id: int
    plan_version_id: int
    anchor: datetime
    started_at: datetime
    ended_at: datetime | None


class Lot(NamedTuple):
    """A grant: what was left of it at the start, and what had been burned by then. Microcredits."""

    id: UUID
    source: str
    priority: int
    amount: int
    remaining: int
    burned: int
    effective_at: datetime
    expires_at: datetime | None
    created_at: datetime
    subscription_id: int | None
    paid_nano: int
    currency: str


class Taken(NamedTuple):
    """Credits that staff or a refund took from a grant (or, positive, gave back), or that became debt by it."""

    at: datetime
    grant_id: UUID | None
    bucket: int
    kind: int
    amount: int


class Own(NamedTuple):
    """A right of the customer's own, over [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime | None
    right: OwnEntitlement


class Used(NamedTuple):
    """What calls of one feature, model and user took before the start, in a window that reaches back."""

    feature_id: int
    model: str
    user_key: str
    calls: int
    credits: int
    cost: int
    tokens: int


Reach = Literal["period", "day", "lifetime"]


class Start(msgspec.Struct, kw_only=True):
    """One customer at the start. `debt` and `overage` are microcredits."""

    customer_id: int
    key: str
    currency: str
    time_zone: str
    spend_cap: int | None = None
    debt: int = 0
    overage: int = 0
    subscriptions: list[Subscribed] = []
    lots: list[Lot] = []
    """Those bought or given, up to the end; and the plan's that began before the start."""
    taken: list[Taken] = []
    money_back_nano: int = 0
    """What of payments went back in the period, negative, in the customer's currency."""
    own: list[Own] = []
    used: dict[Reach, list[Used]] = {}
