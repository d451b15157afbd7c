"""A customer's projected margin, and the floors it is below. Ratios are in millionths: 400_000 is 40 %."""

from datetime import datetime
from typing import Literal

import msgspec

FloorAction = Literal["warn", "downgrade", "deny"]


class Floor(msgspec.Struct, frozen=True):
    """A floor in force. Figures older than `freshness_seconds` are stale, and then only count if it `trusts_stale`."""

    floor_micro: int
    action: FloorAction
    scope: str
    freshness_seconds: int = 60
    trusts_stale: bool = False


class MarginFigure(msgspec.Struct, frozen=True):
    """A customer's projected margin ratio of a period, and the floors in force it is below.

    `ratio_micro` is None without revenue: any cost is then below any floor.
    """

    ratio_micro: int | None
    computed_at: datetime
    period_start: datetime
    period_end: datetime
    floors: tuple[Floor, ...]
