"""How far limits are used, counted beside the quick way: whether any would bind, without asking for every call.

What calls take in a window, nothing refused, is the most they can take: a limit that this never exceeds refuses
nobody. Only for customers where one is exceeded is every call asked for (walk.py).
"""

from datetime import UTC, datetime
from typing import Final

from entitlements.core.account import Account, Counter
from entitlements.core.limits import window
from margins.simulation.start import Start, Used
from plans.catalogue import Catalogue
from plans.terms import SHARED_SCOPES, LimitTerms

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
UNITS: Final = ("calls", "credits", "cost", "tokens")


class Track:
    """One limit of a customer: what its current window has taken, by whose it is (a user's, a run's, or "")."""

    __slots__ = ("end", "hard", "limit", "per_call", "start", "unit", "used", "whose")

    def __init__(self, limit: LimitTerms) -> None:
        self.limit = limit
        self.unit = UNITS.index(limit.unit)
        self.hard = limit.kind == "hard"
        self.per_call = limit.window == "draw"
        self.whose = {"customer": 0, "user": 1, "run": 2}[limit.scope]
        self.start: datetime | None = None
        self.end = _NEVER if self.per_call else datetime.min.replace(tzinfo=UTC)
        self.used: dict[str, int] = {}

    def roll(self, account: Account, at: datetime) -> None:
        """Go on to the window that contains `at`, empty unless it is the same one."""
        start, end = window(self.limit, account, at)
        if start != self.start:
            self.used = {}
            self.start = start
        self.end = end or _NEVER

    def covers(self, feature_id: int, tier_id: int | None) -> bool:
        """Whether calls of the feature on a model of the tier count."""
        return self.limit.feature_id in (None, feature_id) and self.limit.tier_id in (None, tier_id)


def counted(limits: tuple[LimitTerms, ...]) -> list[LimitTerms]:
    """The limits of one customer; what many share is not simulated."""
    return [limit for limit in limits if limit.scope not in SHARED_SCOPES]


def used_before(track: Track, start: Start, since: datetime, catalogue: Catalogue) -> dict[str, int]:
    """What the limit's window had taken by the start of the simulation, by whose it was."""
    limit = track.limit
    if limit.window not in start.used or track.start is None or track.start >= since or limit.scope == "run":
        return {}
    found: dict[str, int] = {}
    for row in start.used[limit.window]:
        model = catalogue.models.get(row.model)
        if track.covers(row.feature_id, model.tier_id if model else None) and (limit.scope != "user" or row.user_key):
            whose = row.user_key if limit.scope == "user" else ""
            found[whose] = found.get(whose, 0) + _taken(row, track.unit)
    return found


def seed_counters(account: Account, track: Track, used: dict[str, int]) -> None:
    """Put what was used before into the account's own counters, where every call is asked for."""
    if track.start is None:
        return
    for whose, amount in used.items():
        scope = f"user:{whose}" if track.limit.scope == "user" else ""
        counter = Counter(account.customer_id, scope, track.limit.key, track.start, amount)
        account.counters[scope, track.limit.key] = counter


def _taken(row: Used, unit: int) -> int:
    return (row.calls, row.credits, row.cost, row.tokens)[unit]
