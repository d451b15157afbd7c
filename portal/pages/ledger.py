"""Every movement of credits, and what paid for what."""

from typing import Final, NamedTuple

from django.http import Http404, HttpResponse
from django.utils import timezone

from entitlements.core.words import EntryKind
from entitlements.models import CreditGrant, LedgerEntry
from kernel.units import format_credits
from portal.pages.guard import portal_page
from portal.pages.request import Visit
from portal.queries.grants import NAMES
from portal.queries.ledger import Line, page_of
from portal.words import credits_text, day_text, money_text


class Row(NamedTuple):
    """A line of the table: what happened, what paid (or what was paid), and the signed credits."""

    entry: LedgerEntry
    what: str
    detail: str
    source: str
    credits: str
    exact: str
    tone: str


def _ledger(visit: Visit) -> HttpResponse:
    before = visit.request.GET.get("before")
    if before is not None and not (before.isascii() and before.isdigit() and len(before) <= 15):
        raise Http404
    page = page_of(visit.customer.pk, int(before) if before else None)
    context = {
        "title": "Ledger",
        "rows": [_row(line) for line in page.lines],
        "older": page.older,
        "newest": before is None,
    }
    return visit.page("ledger.html", context)


def _row(line: Line) -> Row:
    what, detail = _words(line)
    amount = line.entry.amount_microcredits
    grant = line.grant
    burned = line.kind in {EntryKind.BURN, EntryKind.REFUND}
    return Row(
        line.entry,
        what,
        detail,
        grant_text(grant) if grant is not None and burned else "",
        f"+{credits_text(amount)}" if amount > 0 else credits_text(amount),
        format_credits(amount),
        "gain" if amount > 0 else "",
    )


def grant_text(grant: CreditGrant) -> str:
    """ "Top-up of 3 Nov"."""
    return f"{NAMES.get(grant.source, grant.source)} of {day_text(timezone.localtime(grant.effective_at))}"


_SAID: Final = {
    EntryKind.DEBT_PAID: "Debt paid",
    EntryKind.OVERAGE_PAID: "Overage paid with credits",
    EntryKind.OVERAGE_BILLED: "Overage put on the invoice",
    EntryKind.EXPIRE: "Expired",
    EntryKind.VOID: "Taken back",
    EntryKind.REFUND: "Given back",
    EntryKind.REVERSAL: "Taken back: the payment was returned",
    EntryKind.RESTORED: "Restored: the payment came back",
}

_ADDED: Final = {
    EntryKind.BURN: "",
    EntryKind.OVERAGE: "as overage",
    EntryKind.DEBT: "beyond the balance: owed",
}
"""How usage was charged, where it was not simply paid."""


def _words(line: Line) -> tuple[str, str]:
    """What happened, and the small print."""
    if line.kind is EntryKind.GRANT:
        return _granted(line.grant)
    if line.kind in _ADDED and line.entry.event_digest is not None:
        used, detail = _used(line)
        return used, " · ".join(part for part in (detail, _ADDED[line.kind]) if part)
    named = grant_text(line.grant) if line.grant is not None else ""
    return _SAID.get(line.kind, "Paid what was owed"), "" if line.kind is EntryKind.BURN else named


def _granted(grant: CreditGrant | None) -> tuple[str, str]:
    if grant is None:
        return "Credits", ""
    paid = f"{money_text(grant.paid)} paid" if grant.paid.amount else ""
    reason = grant.reason if grant.source in {"promo", "adjustment"} else ""
    return NAMES.get(grant.source, grant.source), reason or paid


def _used(line: Line) -> tuple[str, str]:
    event = line.event
    if event is None:
        return "Usage", "its details are in the archive"
    parts = [event.model, f"by {event.user_key}" if event.user_key else ""]
    return line.feature or "Usage", " · ".join(part for part in parts if part)


ledger = portal_page(_ledger)
