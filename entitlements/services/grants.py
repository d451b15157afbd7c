"""Giving credits and taking them back."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from django.db.models import Q, Sum
from moneyed import Money

from entitlements.core.account import Account, GrantState, NewGrant
from entitlements.core.reversal import Moved, give_back, take_back
from entitlements.core.timeline import grant_id, look_ahead
from entitlements.models import Bucket, CreditGrant, EntryKind, LedgerEntry
from entitlements.services.accounts import opened_one
from kernel.errors import Conflict, InvalidInput, KeyReused, NotFound
from kernel.ids import body_digest, key_digest
from kernel.units import format_credits

PRIORITY = {"promo": 20, "adjustment": 40, "allowance": 50, "rollover": 50, "top_up": 100}
"""Burn order unless told otherwise: what was given burns before what was paid for."""


class GrantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A grant to make. `key` is the caller's idempotency key; `paid` is what was paid for the credits."""

    key: str
    microcredits: int
    source: str
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int | None = None
    paid: Money | None = None
    reason: str = ""
    actor: str = ""


class GrantClosed(Conflict):
    code = "grant_closed"
    title = "This grant has nothing left to take back"


def add_grant(customer_key: str, request: GrantRequest, now: datetime) -> tuple[CreditGrant, bool]:
    """Grant credits, once per key. Returns the grant and whether this call made it.

    Pays debt and this period's overage first. Raises CustomerUnknown, KeyReused, InvalidInput.
    """
    if request.microcredits <= 0:
        raise InvalidInput("a grant must be of more than 0 credits", field="credits")
    digest = key_digest(f"grant:{request.key}")
    body = _body(request)
    with opened_one(customer_key, now=now) as (account, _):
        known = CreditGrant.objects.filter(customer_id=account.customer_id, key_digest=digest).first()
        if known is not None:
            if known.body_digest != body:
                raise KeyReused(f"grant key {request.key!r} was used before with another body", field="key")
            return known, False
        effective_at = request.effective_at or now
        if request.expires_at is not None and request.expires_at <= max(effective_at, now):
            raise InvalidInput("expires_at must lie ahead, and after effective_at", field="expires_at")
        paid = request.paid or Money(0, account.currency)
        if str(paid.currency) != account.currency:
            raise InvalidInput(f"the customer pays in {account.currency}, not {paid.currency}", field="paid.currency")
        state = GrantState(
            customer_id=account.customer_id,
            id=grant_id(account.customer_id, request.key),
            source=request.source,
            priority=PRIORITY[request.source] if request.priority is None else request.priority,
            amount=request.microcredits,
            remaining=request.microcredits,
            effective_at=effective_at,
            expires_at=request.expires_at,
            created_at=now,
            activated_at=None,
            subscription_id=None,
        )
        account.add(
            NewGrant(
                state=state,
                key=request.key,
                key_digest=digest,
                body_digest=body,
                paid=str(paid.amount),
                paid_currency=str(paid.currency),
                reason=request.reason,
                actor=request.actor,
            ),
            now=now,
        )
        look_ahead(account, now)
    return CreditGrant.objects.get(customer_id=account.customer_id, id=state.id), True


def void_grant(customer_key: str, grant: UUID, *, actor: str, reason: str, now: datetime) -> CreditGrant:
    """Take back what is left of a grant. What it has paid for stays paid; what open holds claim stays until they end.

    Raises CustomerUnknown, NotFound, GrantClosed.
    """
    with opened_one(customer_key, now=now) as (account, _):
        state = next((state for state in account.grants if state.id == grant), None)
        if state is None:
            if CreditGrant.objects.filter(customer_id=account.customer_id, id=grant).exists():
                raise GrantClosed(f"grant {grant} is used up, expired or voided")
            raise NotFound(f"customer {customer_key!r} has no grant {grant}")
        account.void(state, now=now)
        look_ahead(account, now)
    row = CreditGrant.objects.get(customer_id=account.customer_id, id=grant)
    note = f"voided by {actor}: {reason}"
    row.reason = f"{row.reason}; {note}" if row.reason else note
    row.save(update_fields=["reason"])
    return row


def take_back_credits(customer_key: str, grant: UUID, microcredits: int, now: datetime) -> Moved:
    """Take back part of a grant whose payment went back: what is left of it, then, as debt, what it has burned.

    Not idempotent: the caller remembers, in the same transaction, what it was for. Raises CustomerUnknown, NotFound.
    """
    with opened_one(customer_key, now=now) as (account, _):
        state = _state_of(account, grant)
        return take_back(account, state, microcredits, burned=_burned(account.customer_id, grant), now=now)


def give_back_credits(customer_key: str, grant: UUID, taken: Moved, now: datetime) -> Moved:
    """Undo what `take_back_credits` answered. Not idempotent either. Raises CustomerUnknown, NotFound."""
    with opened_one(customer_key, now=now) as (account, _):
        return give_back(account, _state_of(account, grant), taken, now=now)


def _state_of(account: Account, grant: UUID) -> GrantState:
    """The grant in the account; one that is closed is fetched. Raises NotFound."""
    state = next((state for state in account.grants if state.id == grant), None)
    if state is not None:
        return state
    row = CreditGrant.objects.filter(customer_id=account.customer_id, id=grant).first()
    if row is None:
        raise NotFound(f"customer {account.key!r} has no grant {grant}")
    return GrantState(
        customer_id=row.customer_id,
        id=row.id,
        source=row.source,
        priority=row.priority,
        amount=row.amount_microcredits,
        remaining=row.remaining_microcredits,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
        created_at=row.created_at,
        activated_at=row.activated_at,
        subscription_id=row.subscription_id,
        closed_at=row.closed_at,
        voided_at=row.voided_at,
    )


def _burned(customer_id: int, grant: UUID) -> int:
    """Microcredits the grant has burned that no reversal has made debt yet, by the ledger."""
    entries = LedgerEntry.objects.filter(customer_id=customer_id, grant_id=grant)
    burns = Q(kind=EntryKind.BURN) | Q(kind=EntryKind.REFUND, bucket=Bucket.POSTED)
    reversals = Q(kind__in=(EntryKind.REVERSAL, EntryKind.RESTORED), bucket=Bucket.DEBT)
    sums = entries.aggregate(
        burned=Sum("amount_microcredits", filter=burns), owed=Sum("amount_microcredits", filter=reversals)
    )
    return (sums["owed"] or 0) - (sums["burned"] or 0)


def _body(request: GrantRequest) -> UUID:
    paid = request.paid
    return body_digest(
        [
            format_credits(request.microcredits),
            request.source,
            request.effective_at,
            request.expires_at,
            request.priority,
            [str(Decimal(paid.amount).normalize()), str(paid.currency)] if paid else None,
        ]
    )
