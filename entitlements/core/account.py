"""A customer's account in memory: the balance, its open grants, and the entries written on top.

The account is loaded under the balance row's lock, moved by the functions of this package and
written back in the same transaction. Every movement of credits goes through `enter`, so the
balance and the sum of the ledger cannot part.
"""

from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from entitlements.burndown import burn, burn_key
from entitlements.core.margin_figure import MarginFigure
from entitlements.core.words import Bucket, EntryKind


def _column(name: str) -> Any:
    """A field that is called `name` where it is stored."""
    return msgspec.field(name=name)


class GrantState(msgspec.Struct, kw_only=True):
    """An open grant, as a row of `credit_grant`. Amounts are microcredits."""

    customer_id: int
    id: UUID
    source: str
    priority: int
    amount: int = _column("amount_microcredits")
    remaining: int = _column("remaining_microcredits")
    effective_at: datetime
    expires_at: datetime | None
    created_at: datetime
    activated_at: datetime | None
    subscription_id: int | None
    closed_at: datetime | None = None
    voided_at: datetime | None = None

    @property
    def burnable(self) -> bool:
        return self.remaining > 0 and self.activated_at is not None


class NewGrant(msgspec.Struct, frozen=True):
    """The facts of a grant that only its first write carries."""

    state: GrantState
    key: str
    key_digest: UUID
    body_digest: UUID
    paid: str
    paid_currency: str
    reason: str
    actor: str


class LedgerRow(msgspec.Struct, frozen=True):
    """A signed movement of credits, as a row of `ledger_entry`."""

    customer_id: int
    seq: int
    recorded_at: datetime
    effective_at: datetime
    kind: int
    bucket: int
    amount_microcredits: int
    grant_id: UUID | None
    event_digest: UUID | None


class SeenEvent(msgspec.Struct, frozen=True):
    """What a usage event's key was used for before."""

    key_digest: UUID
    body_digest: UUID
    charged_microcredits: int | None
    cost_nanousd: int | None


class OwnEntitlement(msgspec.Struct, frozen=True):
    """A customer's own right to a feature, in force now."""

    feature_id: int
    allowed: bool
    max_rank: int | None
    at_limit: str
    config: Any


class HoldState(msgspec.Struct, kw_only=True):
    """A hold, as a row of `hold`. `held` is what is still set aside, `settled` what was charged; microcredits."""

    customer_id: int
    id: UUID
    """The digest of `key`."""
    key: str
    body_digest: UUID
    status: int = 1
    held: int = _column("held_microcredits")
    settled: int = msgspec.field(name="settled_microcredits", default=0)
    steps: int = 1
    feature_id: int
    model: str
    user_key: str
    run_id: UUID | None
    runs: list[UUID]
    claims: list[tuple[str, str, int]]
    is_lease: bool = False
    placed_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None


class RunState(msgspec.Struct, kw_only=True):
    """A run, as a row of `run`."""

    customer_id: int
    id: UUID
    key: str
    key_digest: UUID
    body_digest: UUID
    ancestors: list[UUID]
    status: int = 1
    user_key: str
    max_steps: int | None = None
    max_microcredits: int | None = None
    max_cost_nanousd: int | None = None
    max_depth: int | None = None
    deadline: datetime | None = None
    steps: int = 0
    held_steps: int = 0
    charged_microcredits: int = 0
    held_microcredits: int = 0
    cost_nanousd: int = 0
    opened_at: datetime
    closed_at: datetime | None = None


class Counter(msgspec.Struct):
    """How far a limit is used in its current window, as a row of `limit_counter`."""

    customer_id: int
    scope_key: str
    limit_key: str
    window_start: datetime
    used: int = 0
    held: int = 0
    warned_percent: int = 0


class Message(msgspec.Struct, frozen=True):
    """Something to tell the outside once, as a row of `outbox_message`."""

    customer_id: int
    key: str
    kind: str
    payload: dict[str, Any]
    created_at: datetime


class Account(msgspec.Struct):
    """The working state of one customer. Amounts are microcredits.

    Invariants, kept by every method: the parts are ≥ 0; held ≤ posted; posted is the sum of what
    is left of the active grants; debt and overage are 0 while anything is free.
    """

    customer_id: int
    key: str
    currency: str
    time_zone: str
    posted: int
    held: int
    debt: int
    overage: int
    seq: int
    valid_until: datetime | None
    subscription_id: int | None
    plan_version_id: int | None
    anchor: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    allowance_end: datetime | None
    holds_until: datetime | None = None
    overage_billed: int = 0
    overdue_since: datetime | None = None
    low_below: int | None = None
    low_since: datetime | None = None
    spend_cap: int | None = None
    """The customer's own bound on a period's overage. The plan's holds beside it."""
    version: int = 0
    """Of the stored balance row this was loaded from: another one means that something of the account has changed."""
    margin: MarginFigure | None = None
    """Where the customer is below a margin floor."""
    grants: list[GrantState] = []
    own_entitlements: dict[int, OwnEntitlement] = {}
    rights_until: datetime | None = None
    """When the first of them ends, or another one starts."""
    seen: dict[UUID, SeenEvent] = {}
    holds: dict[UUID, HoldState] = {}
    """Those the batch names, open or closed, and every open one that has ended by now."""
    answers: dict[UUID, bytes] = {}
    """The first answers, as JSON, of the loaded holds, for whoever asks again."""
    next_hold: datetime | None = None
    """When the first of the open holds that are not loaded ends. Known only when some have ended."""
    runs: dict[UUID, RunState] = {}
    """Those the batch names and those of the loaded holds, with the runs around them."""
    counters: dict[tuple[str, str], Counter] = {}
    """By (scope key, limit key)."""
    scopes: set[str] = msgspec.field(default_factory=lambda: {""})
    """The scope keys whose counters are all here. (Those of runs and of holds' users are here with them.)"""

    dirty: bool = False
    ledger: list[LedgerRow] = []
    new_grants: list[NewGrant] = []
    touched: dict[UUID, GrantState] = {}
    new_holds: list[HoldState] = []
    touched_holds: dict[UUID, HoldState] = {}
    new_runs: list[RunState] = []
    touched_runs: dict[UUID, RunState] = {}
    touched_counters: set[tuple[str, str]] = set()
    messages: list[Message] = []
    terms_as_loaded: Any = None
    """What of the balance row seldom changes, as it was stored: it is written when it differs."""
    kept: bool = False
    """Whether it stayed in memory after its batch (`settle_down`)."""
    available_at_first: int = 0
    """What was available when the account was loaded, or when falls were last told."""

    def __post_init__(self) -> None:
        self.available_at_first = self.available

    @property
    def available(self) -> int:
        """What a new hold or charge may take: posted − held − debt. Below zero while in debt."""
        return self.posted - self.held - self.debt

    @property
    def free(self) -> int:
        """Posted credits no hold has a claim on."""
        return self.posted - self.held

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(
            self.dirty
            or self.touched_counters
            or self.touched_holds
            or self.new_holds
            or self.touched
            or self.new_grants
            or self.touched_runs
            or self.new_runs
        )

    def settle_down(self, version: int) -> None:
        """All changes are stored, and the account is of this version now.

        What stays is what a later batch can decide from without loading: open grants, counters, and the open holds
        whose ends touch nothing that is not here. Runs do not stay, nor what was seen of keys.
        """
        self.version = version
        if self.touched:
            self.grants = [grant for grant in self.grants if grant.closed_at is None]
        if not self.kept:
            self.counters = {key: counter for key, counter in self.counters.items() if key[0] in self.scopes}
        for hold in chain(self.touched_holds.values(), self.new_holds) if self.kept else list(self.holds.values()):
            if hold.closed_at is not None or hold.runs or any(scope not in self.scopes for scope, *_ in hold.claims):
                self.holds.pop(hold.id, None)
        for changes in _changes(self):
            if changes:
                changes.clear()
        self.next_hold = self.margin = None
        self.dirty, self.kept = False, True

    def run_named(self, key: str) -> RunState | None:
        """The loaded run a key names."""
        return next((run for run in self.runs.values() if run.key == key), None)

    def touch_hold(self, hold: HoldState) -> None:
        """The hold has changed and is to be written."""
        self.touched_holds[hold.id] = hold

    def touch_run(self, run: RunState) -> None:
        """The run has changed and is to be written."""
        self.touched_runs[run.id] = run

    def touch_counter(self, scope: str, limit: str) -> None:
        """The counter has changed and is to be written."""
        self.touched_counters.add((scope, limit))

    def tell(self, key: str, kind: str, payload: dict[str, Any], now: datetime) -> None:
        """Put a message into the outbox, once per key."""
        self.messages.append(Message(self.customer_id, key, kind, payload, now))

    def enter(
        self,
        kind: EntryKind,
        bucket: Bucket,
        amount: int,
        *,
        at: datetime,
        now: datetime,
        grant_id: UUID | None = None,
        event: UUID | None = None,
    ) -> None:
        """Write one entry and move the part of the balance it belongs to."""
        self.seq += 1
        self.dirty = True
        self.ledger.append(LedgerRow(self.customer_id, self.seq, now, at, kind, bucket, amount, grant_id, event))
        if bucket is Bucket.POSTED:
            self.posted += amount
        elif bucket is Bucket.DEBT:
            self.debt -= amount
        else:
            self.overage -= amount

    def add(self, grant: NewGrant, *, now: datetime) -> None:
        """Take a new grant into the account; it counts from its `effective_at` on."""
        self.new_grants.append(grant)
        self.grants.append(grant.state)
        self.grants.sort(key=burn_key)
        self.dirty = True
        if grant.state.effective_at <= now:
            self.activate(grant.state, now=now)

    def activate(self, grant: GrantState, *, now: datetime) -> None:
        """Make a grant's credits count, and let them pay what is owed."""
        grant.activated_at = grant.effective_at
        self.touched[grant.id] = grant
        self.enter(EntryKind.GRANT, Bucket.POSTED, grant.remaining, at=grant.effective_at, now=now, grant_id=grant.id)
        self.pay_off(at=grant.effective_at, now=now)

    def burn(self, amount: int, *, at: datetime, now: datetime, event: UUID | None = None) -> None:
        """Take `amount` from the grants in burn order. The caller has checked that it is there."""
        grants = [grant for grant in self.grants if grant.burnable]
        pieces, unpaid = burn([(grant, grant.remaining) for grant in grants], amount)
        if unpaid:
            raise AssertionError(f"account {self.customer_id}: burned {unpaid} more than its grants hold")
        for grant, piece in pieces:
            self._draw(grant, EntryKind.BURN, piece, at=at, now=now, event=event)

    def bill_overage(self, *, at: datetime, now: datetime) -> int:
        """Make the overage money owed: it leaves the credits, and no later grant pays it. Returns how much it was."""
        billed = self.overage
        if billed:
            self.enter(EntryKind.OVERAGE_BILLED, Bucket.OVERAGE, billed, at=at, now=now)
            self.overage_billed += billed
        return billed

    def expire(self, grant: GrantState, *, now: datetime) -> int:
        """Write off what is left of a grant past its expiry, except what open holds have a claim on.

        A hold placed in time is honoured: what it covers stays until the hold ends. Returns what expired.
        """
        return 0 if grant.expires_at is None else self._take(grant, EntryKind.EXPIRE, at=grant.expires_at, now=now)

    def void(self, grant: GrantState, *, now: datetime) -> int:
        """Take back what is left of a grant, except what open holds have a claim on. Returns what was taken."""
        if grant.activated_at is None:
            grant.closed_at = grant.voided_at = now
            self.touched[grant.id] = grant
            self.dirty = True
            return 0
        grant.voided_at = now
        self.touched[grant.id] = grant
        return self._take(grant, EntryKind.VOID, at=now, now=now)

    def charge(
        self,
        amount: int,
        *,
        overage_room: int,
        at: datetime,
        now: datetime,
        event: UUID,
    ) -> None:
        """Charge usage that happened: first what is free, then overage as far as there is room, the rest is debt."""
        paid = min(max(self.free, 0), amount)
        if paid:
            self.burn(paid, at=at, now=now, event=event)
        over = min(amount - paid, overage_room)
        if over:
            self.enter(EntryKind.OVERAGE, Bucket.OVERAGE, -over, at=at, now=now, event=event)
        owed = amount - paid - over
        if owed:
            self.enter(EntryKind.DEBT, Bucket.DEBT, -owed, at=at, now=now, event=event)

    def pay_off(self, *, at: datetime, now: datetime) -> None:
        """Pay debt, then overage of this period, from what is free."""
        debt = min(max(self.free, 0), self.debt)
        if debt:
            self.burn(debt, at=at, now=now)
            self.enter(EntryKind.DEBT_PAID, Bucket.DEBT, debt, at=at, now=now)
        over = min(max(self.free, 0), self.overage)
        if over:
            self.burn(over, at=at, now=now)
            self.enter(EntryKind.OVERAGE_PAID, Bucket.OVERAGE, over, at=at, now=now)

    def write_off(self, *, ended: datetime, at: datetime, now: datetime) -> None:
        """Take back, at `at`, what only a hold had kept alive of grants that were voided or had ended by `ended`."""
        for grant in [grant for grant in self.grants if grant.burnable]:
            if grant.voided_at is not None:
                self._take(grant, EntryKind.VOID, at=at, now=now)
            elif grant.expires_at is not None and grant.expires_at <= ended:
                self.expire(grant, now=now)

    def _take(self, grant: GrantState, kind: EntryKind, *, at: datetime, now: datetime) -> int:
        """Take from the grant what open holds have no claim on. Returns how much."""
        taken = min(grant.remaining, max(self.free, 0))
        if taken:
            self._draw(grant, kind, taken, at=at, now=now)
        return taken

    def _draw(
        self, grant: GrantState, kind: EntryKind, amount: int, *, at: datetime, now: datetime, event: UUID | None = None
    ) -> None:
        grant.remaining -= amount
        if not grant.remaining:
            grant.closed_at = now
        self.touched[grant.id] = grant
        self.enter(kind, Bucket.POSTED, -amount, at=at, now=now, grant_id=grant.id, event=event)


_changes = attrgetter(
    *("seen", "answers", "runs", "ledger", "new_grants", "touched", "new_holds", "touched_holds", "new_runs"),
    *("touched_runs", "touched_counters", "messages"),
)
