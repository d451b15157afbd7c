"""What callers send to the gate and what they get back, as they stand in the OpenAPI document."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Key = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Label = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Count = Annotated[int, Meta(ge=0, le=2_000_000_000)]
Amount = Annotated[str, Meta(description="A decimal string.", examples=["12.5"])]

MAX_EVENTS = 10_000
MAX_TAGS = 32


class Estimate(msgspec.Struct, forbid_unknown_fields=True):
    """What the call may come to: credits, or the tokens it may reach."""

    credits: Amount | None = None
    input_tokens: Count | None = None
    max_output_tokens: Count | None = None


class CheckRequest(msgspec.Struct, forbid_unknown_fields=True):
    """May this customer use this feature, on this model, now?"""

    customer: Key
    feature: Key
    model: Label = ""
    user: Label = ""
    run: Label = ""
    estimate: Estimate | None = None


class Balance(msgspec.Struct):
    """Credits as decimal strings; available = posted − held − debt."""

    posted: Amount
    held: Amount
    available: Amount
    debt: Amount
    overage: Amount


class Limiting(msgspec.Struct):
    """What said no. `used` and `value` are in the limit's unit; of the balance, credits."""

    limit: str
    scope: str
    used: Amount
    value: Amount
    resets_at: str | None


class Remedy(msgspec.Struct, omit_defaults=True):
    """What would turn the answer into an allow."""

    upgrade_to: str | None = None
    model: str | None = None


class Caution(msgspec.Struct):
    """Something to know although the answer is yes."""

    code: str
    detail: str


class CheckAnswer(msgspec.Struct):
    """`decision` is allow, downgrade (call `model` instead) or deny. `credits` is the estimate, priced."""

    decision: str
    reason: str
    model: str | None
    credits: Amount | None
    limiting: Limiting | None
    balance: Balance
    warnings: list[Caution]
    remedy: Remedy | None


class UsageItem(msgspec.Struct, forbid_unknown_fields=True):
    """One action that happened. `usage` is the provider's own usage body (or whole response), or our neutral form."""

    key: Key
    customer: Key
    feature: Key
    usage: dict[str, Any] | None = None
    format: Label | None = None
    model: Label = ""
    provider: Label = ""
    credits: Amount | None = None
    user: Label = ""
    run: Label = ""
    action: Label = ""
    occurred_at: str | None = None
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
    status: str
    credits: Amount | None = None
    cost_usd: Amount | None = None
    model: str | None = None
    error: dict[str, Any] | None = None


class UsageAnswer(msgspec.Struct):
    """The answer to a single action: 201 the first time, 200 when the key was known."""

    key: str
    status: str
    credits: Amount | None
    cost_usd: Amount | None
    model: str | None
    balance: Balance


class UsageBatchAnswer(msgspec.Struct):
    """One result per action, in the order they were sent."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[UsageResult]


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
        "May this customer do this now?",
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
)
