"""What the customer's page shows of the account: the balance, the plan, the latest movements."""

from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from entitlements.core.words import Bucket, EntryKind
from entitlements.models import Customer, LedgerEntry, Subscription
from entitlements.queries.ledger import entries_of, event_keys
from entitlements.services.accounts import read_balance
from kernel.units import format_credits

RECENT: Final = 12


def account_context(customer: Customer, now: datetime) -> dict[str, Any]:
    """For the templates entitlements/balance.html and movements.html."""
    balance = read_balance(customer.key, now)
    subscription = (
        Subscription.objects.filter(customer=customer, ended_at=None).select_related("plan_version__plan").first()
    )
    recent = list(entries_of(customer.pk).order_by("-seq")[:RECENT])
    return {
        "figures": [
            ("Available", format_credits(balance.available)),
            ("Posted", format_credits(balance.posted)),
            ("Held", format_credits(balance.held)),
            ("Debt", format_credits(balance.debt)),
            ("Overage this period", format_credits(balance.overage)),
        ],
        "subscription": subscription,
        "balance": balance,
        "entries": _table(customer, recent),
        "links": [
            ("Ledger", _list_of("ledgerline", customer)),
            ("Credit grants", _list_of("grantline", customer)),
            ("Usage events", _list_of("usageline", customer)),
        ],
    }


def _list_of(line: str, customer: Customer) -> str:
    return f"{reverse(f'admin:entitlements_{line}_changelist')}?customer={customer.pk}"


def _table(customer: Customer, entries: list[LedgerEntry]) -> dict[str, Any]:
    keys = event_keys(customer.pk, entries)
    return {
        "headers": ["#", "When", "Kind", "Bucket", "Credits", "Usage event"],
        "rows": [
            [
                entry.seq,
                f"{entry.effective_at:%Y-%m-%d %H:%M:%S}",
                EntryKind(entry.kind).name.lower(),
                Bucket(entry.bucket).name.lower(),
                format_credits(entry.amount_microcredits),
                keys.get(entry.event_digest, "") if entry.event_digest else "",
            ]
            for entry in entries
        ],
    }
