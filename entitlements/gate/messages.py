"""What callers send to the gate and what they get back, as they stand in the OpenAPI document."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Key = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Label = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
CustomerKey = Annotated[Key, Meta(description="The product's own id of the customer.", examples=["harbour-legal"])]
FeatureKey = Annotated[Key, Meta(examples=["chat"])]
CallKey = Annotated[Key, Meta(description="The caller's own, once per call: idempotent.", examples=["chat-1042"])]
ModelId = Annotated[Label, Meta(description="As the provider names it.", examples=["gpt-5"])]
UserKey = Annotated[Label, Meta(description="The end user, for limits and attribution.", examples=["ada"])]
RunKey = Annotated[Label, Meta(description="The key of an open run.", examples=["refactor-31"])]
Instant = Annotated[str, Meta(description="RFC 3339, with its offset.", examples=["2026-11-24T09:30:00Z"])]
HoldId = Annotated[str, Meta(examples=["hold_b_606be9a38efb6eab088fe3b2cab1eef9"])]
Decision = Annotated[str, Meta(description="allow, downgrade or deny.", examples=["allow"])]
ItemStatus = Annotated[str, Meta(description="accepted, duplicate or rejected.", examples=["accepted"])]
HoldStatus = Annotated[str, Meta(description="open, settled, voided or expired.", examples=["open"])]
Count = Annotated[int, Meta(ge=0, le=2_000_000_000)]
Ttl = Annotated[int, Meta(ge=1, le=86_400, description="Seconds.")]
Amount = Annotated[str, Meta(description="A decimal string.", examples=["12.5"])]

MAX_EVENTS = 10_000
MAX_TAGS = 32


class Estimate(msgspec.Struct, forbid_unknown_fields=True):
    """What the call may come to: credits, or the tokens it may reach."""

    credits: Amount | None = None
    input_tokens: Count | None = None
    max_output_tokens: Count | None = None


class HoldRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Set the estimate's credits aside under a key of the caller's own, for a time."""

    key: CallKey
    ttl_seconds: Ttl = 300


class CheckRequest(msgspec.Struct, forbid_unknown_fields=True):
    """May this customer use this feature, on this model, now?"""

    customer: CustomerKey
    feature: FeatureKey
    model: ModelId = ""
    user: UserKey = ""
    run: RunKey = ""
    estimate: Estimate | None = None
    hold: HoldRequest | None = None


class Balance(msgspec.Struct):
    """Credits as decimal strings; available = posted − held − debt."""

    posted: Amount
    held: Amount
    available: Amount
    debt: Amount
    overage: Amount


class Hold(msgspec.Struct):
    """Credits set aside. `credits` is what is still held."""

    id: HoldId
    credits: Amount
    expires_at: Instant


class Limiting(msgspec.Struct):
    """What said no. `used` (held amounts counted) and `value` are in `unit`: credits, cost (USD), calls or tokens.

    With the unit `margin` they are ratios: what this period is projected to leave, and the floor it is below.
    With the scope `plan` or `everyone`, `used` is what all of them have recorded, read from rollups at most 5 seconds
    old; what they hold is not in it.
    """

    limit: str
    scope: str
    unit: str
    used: Amount
    value: Amount
    resets_at: Instant | None
    run: str | None = None


class Remedy(msgspec.Struct, omit_defaults=True):
    """What would turn the answer into an allow."""

    upgrade_to: str | None = None
    model: str | None = None


class Caution(msgspec.Struct):
    """Something to know although the answer is yes."""

    code: str
    detail: str


class CheckAnswer(msgspec.Struct):
    """`decision` is allow, downgrade (call `model` instead) or deny. `credits` is the estimate, priced.

    `decision_id` names the record of a hold, a downgrade or a denial; `manage.py replay_decision` decides it again.
    """

    decision_id: str | None
    decision: Decision
    reason: Annotated[str, Meta(examples=["entitled"])]
    model: Annotated[str, Meta(examples=["gpt-5"])] | None
    credits: Amount | None
    limiting: Limiting | None
    hold: Hold | None
    balance: Balance
    warnings: list[Caution]
    remedy: Remedy | None


class UsageItem(msgspec.Struct, forbid_unknown_fields=True):
    """One action that happened. `usage` is the provider's own usage body (or whole response), or our neutral form."""

    key: CallKey
    customer: CustomerKey
    feature: FeatureKey
    usage: dict[str, Any] | None = None
    format: Label | None = None
    model: ModelId = ""
    provider: Label = ""
    credits: Amount | None = None
    user: UserKey = ""
    run: RunKey = ""
    action: Label = ""
    occurred_at: Instant | None = None
    processing: Label = ""
    region: Label = ""
    memoised: bool = False
    reported_cost_usd: Amount | None = None
    tags: dict[Key, str | int | float | bool] | None = None


class UsageBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 10,000 actions. Good ones are recorded; bad ones come back with their index and reason."""

    events: Annotated[list[UsageItem], Meta(min_length=1, max_length=MAX_EVENTS)]


class UsageResult(msgspec.Struct, omit_defaults=True):
    """What became of one action: `status` is accepted, duplicate or rejected.

    `credits` is null when no rate matched (unrated), `cost_usd` when no cost is known (unpriced).
    """

    index: int
    key: str | None
    status: ItemStatus
    credits: Amount | None = None
    cost_usd: Amount | None = None
    model: str | None = None
    error: dict[str, Any] | None = None


class UsageAnswer(msgspec.Struct):
    """The answer to a single action: 201 the first time, 200 when the key was known."""

    key: Annotated[str, Meta(examples=["chat-1042"])]
    status: ItemStatus
    credits: Amount | None
    cost_usd: Amount | None
    model: Annotated[str, Meta(examples=["gpt-5"])] | None
    balance: Balance


class UsageBatchAnswer(msgspec.Struct):
    """One result per action, in the order they were sent."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[UsageResult]


class SettleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What the held call used. `final: false` settles a part and keeps the rest held (give each part its own key)."""

    key: CallKey | None = None
    usage: dict[str, Any] | None = None
    format: Label | None = None
    model: ModelId = ""
    provider: Label = ""
    credits: Amount | None = None
    action: Label = ""
    occurred_at: Instant | None = None
    processing: Label = ""
    region: Label = ""
    memoised: bool = False
    reported_cost_usd: Amount | None = None
    tags: dict[Key, str | int | float | bool] | None = None
    final: bool = True


class SettleAnswer(msgspec.Struct):
    """What was charged. `late`: the hold had expired, so the charge came from what was free."""

    key: Annotated[str, Meta(examples=["chat-1042"])]
    status: ItemStatus
    credits: Amount | None
    cost_usd: Amount | None
    late: bool
    hold: Hold
    balance: Balance


class HoldAnswer(msgspec.Struct):
    """A hold or lease after a call: `status` is open, settled, voided or expired."""

    status: HoldStatus
    settled: Amount
    hold: Hold
    balance: Balance


class LeaseRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A block of credits for one process to spend locally."""

    key: CallKey
    customer: CustomerKey
    feature: FeatureKey
    credits: Amount
    ttl_seconds: Ttl = 300


class LeaseExtension(msgspec.Struct, forbid_unknown_fields=True):
    """More credits, more time, or both."""

    credits: Amount | None = None
    ttl_seconds: Ttl | None = None


class LeaseSettlement(msgspec.Struct, forbid_unknown_fields=True):
    """Actions a lease has paid for. Each needs a key of its own."""

    events: Annotated[list[SettleRequest], Meta(min_length=1, max_length=MAX_EVENTS)]


class LeaseSettlementAnswer(msgspec.Struct):
    """One result per action, and the lease afterwards."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[UsageResult]
    hold: Hold
    balance: Balance


class RunBudget(msgspec.Struct, forbid_unknown_fields=True):
    """What a run may take. What is left out is bounded only by the runs around it, the limits and the balance."""

    steps: Count | None = None
    credits: Amount | None = None
    cost_usd: Amount | None = None
    depth: Annotated[int, Meta(ge=0, le=100)] | None = None
    seconds: Ttl | None = None


class RunRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Open a run, inside `parent` (another run's key) if given."""

    key: Annotated[Key, Meta(examples=["refactor-31"])]
    customer: CustomerKey
    parent: RunKey = ""
    user: UserKey = ""
    budget: RunBudget | None = None


class RunAnswer(msgspec.Struct):
    """A run. Its sums contain those of every run inside it."""

    id: Annotated[str, Meta(examples=["run_a_4700132b011f1b4e9eb6a5e17f71a525"])]
    key: Annotated[str, Meta(examples=["refactor-31"])]
    status: str
    depth: int
    steps: int
    credits: Amount
    held: Amount
    cost_usd: Amount
    deadline: Instant | None


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint of the gate as the OpenAPI document shows it."""

    path: str
    method: str
    summary: str
    scope: str
    request: Any
    responses: dict[int, Any]


ENDPOINTS = (
    Endpoint(
        "/v1/check",
        "POST",
        "May this customer do this now? Optionally hold the credits",
        "check",
        CheckRequest,
        {200: CheckAnswer},
    ),
    Endpoint(
        "/v1/usage",
        "POST",
        "Report what happened",
        "usage",
        UsageItem | UsageBatch,
        {200: UsageAnswer | UsageBatchAnswer, 201: UsageAnswer},
    ),
    Endpoint(
        "/v1/holds/{id}/settle",
        "POST",
        "Charge a hold with what its call used",
        "usage",
        SettleRequest,
        {200: SettleAnswer},
    ),
    Endpoint("/v1/holds/{id}/void", "POST", "Give a hold's credits back", "usage", None, {200: HoldAnswer}),
    Endpoint(
        "/v1/leases",
        "POST",
        "Lease a block of credits to one process",
        "check",
        LeaseRequest,
        {200: HoldAnswer, 201: HoldAnswer},
    ),
    Endpoint(
        "/v1/leases/{id}/extend",
        "POST",
        "Give a lease more credits or time",
        "check",
        LeaseExtension,
        {200: HoldAnswer},
    ),
    Endpoint(
        "/v1/leases/{id}/settle",
        "POST",
        "Report what a lease was spent on",
        "usage",
        LeaseSettlement,
        {200: LeaseSettlementAnswer},
    ),
    Endpoint("/v1/leases/{id}/release", "POST", "Give back what is left of a lease", "usage", None, {200: HoldAnswer}),
    Endpoint("/v1/runs", "POST", "Open a run", "check", RunRequest, {200: RunAnswer, 201: RunAnswer}),
    Endpoint(
        "/v1/runs/{id}/close",
        "POST",
        "Close a run and what is inside it",
        "check",
        None,
        {200: RunAnswer},
    ),
)
