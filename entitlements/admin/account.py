"""What the customer's page shows of the account: balance, plan, limits, what is open, the latest movements."""

from datetime import datetime
from typing import Any, Final

from entitlements.admin.links import at, cost_of, count_of, credits_of, line_link, list_url
from entitlements.core.words import Bucket, EntryKind
from entitlements.models import Customer, Hold, LedgerEntry, Run, Subscription
from entitlements.queries.ledger import entries_of, event_keys
from entitlements.queries.limits import Standing, in_unit, standings_of
from entitlements.services.accounts import read_account
from kernel.units import format_credits

RECENT: Final = 12


def account_context(customer: Customer, now: datetime) -> dict[str, Any]:
    """For the templates entitlements/balance.html and movements.html."""
    account, reference = read_account(customer.key, now)
    subscription = (
        Subscription.objects.filter(customer=customer, ended_at=None).select_related("plan_version__plan").first()
    )
    recent = list(entries_of(customer.pk).order_by("-seq")[:RECENT])
    return {
        "figures": [
            ("Available", format_credits(account.available)),
            ("Posted", format_credits(account.posted)),
            ("Held", format_credits(account.held)),
            ("Debt", format_credits(account.debt)),
            ("Overage this period", format_credits(account.overage)),
        ],
        "subscription": subscription,
        "balance": account,
        "limits": [_bar(standing) for standing in standings_of(account, reference.catalogue, now)],
        "holds": _holds(customer, now),
        "runs": _runs(customer),
        "entries": _entries(customer, recent),
        "links": [
            ("Ledger", list_url("ledgerline", customer.pk)),
            ("Credit grants", list_url("grantline", customer.pk)),
            ("Usage events", list_url("usageline", customer.pk)),
            ("Holds", list_url("holdline", customer.pk)),
            ("Runs", list_url("runline", customer.pk)),
            ("Decisions", list_url("decisionline", customer.pk)),
            ("Outbox", list_url("messageline", customer.pk)),
        ],
    }


def _bar(standing: Standing) -> dict[str, Any]:
    """A limit as a bar: what is used, then what is held; orange from its first warning on, red when nothing is left."""
    limit = standing.limit
    names = [limit.key, f"{limit.kind}, {_whose(standing)} per {limit.window}"]
    value = in_unit(limit.unit, limit.value)
    if standing.used is None:
        return {"title": " · ".join(names), "description": f"at most {value} {limit.unit}"}
    color = "bg-red-600" if not standing.left else "bg-orange-500" if standing.reached_percent else "bg-primary-600"
    used = _percent(standing.used, limit.value)
    held = min(100 - used, _percent(standing.held, limit.value))
    description = f"{in_unit(limit.unit, standing.taken)} of {value} {limit.unit}"
    if standing.held:
        description += f", {in_unit(limit.unit, standing.held)} of it held"
    if standing.resets_at is not None:
        description += f", until {at(standing.resets_at)}"
    return {
        "title": " · ".join(names),
        "description": description,
        "bar": {"color": color, "used": used, "held": held},
    }


def _whose(standing: Standing) -> str:
    if standing.limit.scope in ("user", "run"):
        return f"{standing.limit.scope} {standing.user or standing.run}"
    return {"plan": "everyone on the plan"}.get(standing.limit.scope, standing.limit.scope)


def _percent(amount: int, value: int) -> int:
    return min(100, amount * 100 // value) if value else 100


def _holds(customer: Customer, now: datetime) -> dict[str, Any]:
    """The open holds, the first to end first."""
    holds = Hold.objects.filter(customer_id=customer.pk, closed_at=None, expires_at__gt=now).order_by("expires_at")
    return {
        "headers": ["Hold", "Held", "Settled", "Model", "User", "Placed", "Ends"],
        "rows": [
            [
                line_link("holdline", customer.pk, hold.id, hold.key),
                credits_of(hold.held_microcredits),
                credits_of(hold.settled_microcredits),
                "lease" if hold.is_lease else hold.model,
                hold.user_key,
                at(hold.placed_at),
                at(hold.expires_at),
            ]
            for hold in holds[:RECENT]
        ],
    }


def _runs(customer: Customer) -> dict[str, Any]:
    """The open runs, newest first."""
    runs = Run.objects.filter(customer_id=customer.pk, closed_at=None).order_by("-opened_at")
    return {
        "headers": ["Run", "Steps", "Credits", "Held", "Cost (USD)", "Opened", "Deadline"],
        "rows": [
            [
                line_link("runline", customer.pk, run.id, run.key),
                count_of(run.steps, run.max_steps),
                credits_of(run.charged_microcredits, run.max_microcredits),
                credits_of(run.held_microcredits),
                cost_of(run.cost_nanousd, run.max_cost_nanousd),
                at(run.opened_at),
                at(run.deadline),
            ]
            for run in runs[:RECENT]
        ],
    }


def _entries(customer: Customer, entries: list[LedgerEntry]) -> dict[str, Any]:
    keys = event_keys(customer.pk, entries)
    return {
        "headers": ["#", "When", "Kind", "Bucket", "Credits", "Usage event"],
        "rows": [
            [
                entry.seq,
                at(entry.effective_at),
                EntryKind(entry.kind).name.lower(),
                Bucket(entry.bucket).name.lower(),
                format_credits(entry.amount_microcredits),
                keys.get(entry.event_digest, "") if entry.event_digest else "",
            ]
            for entry in entries
        ],
    }
