"""Every movement of credits, and what paid for what."""

from typing import NamedTuple

from django.http import Http404, HttpResponse
from django.utils import timezone

from entitlements.core.words import EntryKind
from entitlements.models import CreditGrant, LedgerEntry
from kernel.units import format_credits
from portal.pages.guard import portal_page
from portal.pages.request import Visit
from portal.queries.grants import NAMES
from portal.queries.ledger import Line, page_of
from portal.words import credits_text, day_text


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


def _words(line: Line) -> tuple[str, str]:
    """What happened, and the small print."""
    used, detail = _used(line)
    named = grant_text(line.grant) if line.grant is not None else ""
    match line.kind:
        case EntryKind.GRANT:
            grant = line.grant
            reason = grant.reason if grant is not None and grant.source in {"promo", "adjustment"} else ""
            return NAMES.get(grant.source, grant.source) if grant is not None else "Credits", reason
        case EntryKind.BURN:
            return (used, detail) if line.entry.event_digest else ("Paid what was owed", "")
        case EntryKind.OVERAGE:
            return used, f"{detail} · as overage" if detail else "as overage"
        case EntryKind.DEBT:
            owed = "beyond the balance, owed"
            return used, f"{detail} · {owed}" if detail else owed
        case EntryKind.DEBT_PAID:
            return "Debt paid", ""
        case EntryKind.OVERAGE_PAID:
            return "Overage paid with credits", ""
        case EntryKind.OVERAGE_BILLED:
            return "Overage of the period, put on the invoice", ""
        case EntryKind.EXPIRE:
            return "Expired", named
        case EntryKind.VOID:
            return "Taken back", named
        case EntryKind.REFUND:
            return "Given back", used if line.event else ""
    return line.kind.name.replace("_", " ").capitalize(), named


def _used(line: Line) -> tuple[str, str]:
    event = line.event
    if event is None:
        return "Usage", "details are in the archive" if line.entry.event_digest else ""
    parts = [event.model, f"by {event.user_key}" if event.user_key else ""]
    return line.feature or "Usage", " · ".join(part for part in parts if part)


ledger = portal_page(_ledger)
