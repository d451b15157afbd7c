"""The credits there are, in the order in which they burn."""

from datetime import datetime
from typing import NamedTuple

from django.http import HttpResponse

from entitlements.core.account import GrantState
from entitlements.models import CreditGrant
from entitlements.queries.grants import state_of
from entitlements.services.accounts import read_account
from kernel.units import format_credits
from portal.pages.guard import portal_page
from portal.pages.request import Visit
from portal.queries.grants import NAMES, closed_grants, grants_named
from portal.words import credits_text, money_text, percent_of


class Row(NamedTuple):
    """A grant: what is left of it, until when, and what was paid for it."""

    name: str
    reason: str
    left: str
    exact: str
    amount: str
    percent: int
    starts_at: datetime
    expires_at: datetime | None
    paid: str
    state: str


def _grants(visit: Visit) -> HttpResponse:
    account, _ = read_account(visit.customer.key, visit.now)
    facts = grants_named(visit.customer.pk, (grant.id for grant in account.grants))
    open_ = [_row(grant, facts.get(grant.id)) for grant in account.grants if grant.closed_at is None]
    context = {
        "title": "Credits",
        "active": [row for row in open_ if row.state == "active"],
        "waiting": [row for row in open_ if row.state == "pending"],
        "closed": [_closed(grant) for grant in closed_grants(visit.customer.pk)],
        "available": credits_text(account.available),
        "held": credits_text(account.held) if account.held else "",
        "debt": credits_text(account.debt) if account.debt else "",
    }
    return visit.page("grants.html", context)


def _row(grant: GrantState, fact: CreditGrant | None) -> Row:
    return Row(
        NAMES.get(grant.source, grant.source),
        fact.reason if fact is not None and grant.source in {"promo", "adjustment"} else "",
        credits_text(grant.remaining),
        format_credits(grant.remaining),
        credits_text(grant.amount),
        percent_of(grant.remaining, grant.amount),
        grant.effective_at,
        grant.expires_at,
        money_text(fact.paid) if fact is not None and fact.paid.amount else "",
        state_of(grant),
    )


def _closed(grant: CreditGrant) -> tuple[CreditGrant, str, str, str]:
    """The grant, its name, how much it was, and how it ended."""
    ended = "taken back" if grant.voided_at else "used up or expired"
    return grant, NAMES.get(grant.source, grant.source), credits_text(grant.amount_microcredits), ended


grants = portal_page(_grants)
