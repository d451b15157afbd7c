"""Accounts in memory, moved as the services move them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from entitlements.core.account import Account, GrantState, NewGrant
from entitlements.core.record import UsageFact
from entitlements.core.timeline import grant_id, look_ahead, start_subscription
from kernel.ids import body_digest, key_digest
from kernel.units import NanoUsd
from kernel.usage import Usage
from metering.costing import Call, Costed
from plans.terms import PlanTerms
from tests.shop import CREDIT


class Costs:
    """A cost table: what a token of a model costs in nano-USD; other models are unpriced."""

    def __init__(self, **per_token: int) -> None:
        self.per_token = {name.replace("_", "-"): rate for name, rate in per_token.items()} or {"gpt-4o-mini": 100}

    def cost(self, usage: Usage, call: Call) -> Costed:
        rate = self.per_token.get(call.model or "")
        if rate is None:
            return Costed(None, "")
        return Costed(NanoUsd(rate * (usage.input_tokens + usage.output_tokens)), "test")


def account(**parts: Any) -> Account:
    """An empty account."""
    state: dict[str, Any] = dict.fromkeys(
        ("valid_until", "subscription_id", "plan_version_id", "anchor", "period_start", "period_end", "allowance_end")
    )
    amounts = dict.fromkeys(("posted", "held", "debt", "overage", "seq"), 0)
    who = {"customer_id": 7, "key": "acme", "currency": "USD", "time_zone": "UTC"}
    return Account(**(who | amounts | state | parts))


def subscribed(plan: PlanTerms, *, now: datetime, anchor: datetime | None = None) -> Account:
    """An account that has just gone on a plan."""
    these = account()
    start_subscription(these, plan, subscription_id=1, anchor=anchor or now, now=now)
    return these


def give(to: Account, credits: int, *, now: datetime, key: str = "g1", **parts: Any) -> GrantState:
    """Grant credits as the service does."""
    state = GrantState(
        **(
            {
                "customer_id": to.customer_id,
                "id": grant_id(to.customer_id, key),
                "source": "top_up",
                "priority": 100,
                "amount": credits * CREDIT,
                "remaining": credits * CREDIT,
                "effective_at": now,
                "expires_at": None,
                "created_at": now,
                "activated_at": None,
                "subscription_id": None,
            }
            | parts
        )
    )
    to.add(
        NewGrant(state, key, key_digest(key), body_digest(key), "0", "USD", "", ""),
        now=now,
    )
    look_ahead(to, now)
    return state


def fact(key: str = "e1", *, at: datetime, **parts: Any) -> UsageFact:
    """A reported chat on the small model: 1,000 tokens in, 100 out."""
    usual: dict[str, Any] = {
        "key": key,
        "key_digest": key_digest(key),
        "body_digest": body_digest([key, sorted(parts)]),
        "feature": "chat",
        "action": "",
        "user_key": "",
        "run_key": "",
        "tags": None,
        "provider": "openai",
        "model": "gpt-4o-mini",
        "processing": "",
        "region": "",
        "memoised": False,
        "usage": Usage(input_tokens=1000, output_tokens=100),
        "stated_microcredits": None,
        "reported_cost_nanousd": None,
        "occurred_at": at,
    }
    return UsageFact(**(usual | parts))


def ledger_sums(of: Account) -> dict[int, int]:
    """The sum of the entries by bucket."""
    sums: dict[int, int] = {1: 0, 2: 0, 3: 0}
    for row in of.ledger:
        sums[row.bucket] += row.amount_microcredits
    return sums


def burned_by(of: Account, event: UUID) -> int:
    """What one event's entries took, all buckets together."""
    return -sum(row.amount_microcredits for row in of.ledger if row.event_digest == event)
