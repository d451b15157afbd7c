"""Where credits went: by feature, model or user, in the days asked for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.safestring import mark_safe

from entitlements.services.accounts import BalanceView, read_balance
from kernel.recurrence import period_at
from kernel.units import format_credits
from plans.models import PlanVersion
from portal.charts import NARROW, WIDE, Bar, bars
from portal.pages.guard import portal_page
from portal.pages.request import Visit
from portal.queries.usage import COLUMNS, Usage, usage_of
from portal.words import count_text, credits_text, percent_of

MOST_DAYS: Final = 366
EARLIEST: Final = date(2000, 1, 1)

_TITLES: Final = {"feature": "Feature", "model": "Model", "user": "User"}
_NOBODY: Final = {"feature": "no feature", "model": "no model", "user": "no user named"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The days [start, end) in UTC, what they are called, and why they are not the ones asked for."""

    name: str
    start: date
    end: date
    refusal: str = ""


class Link(NamedTuple):
    text: str
    query: str
    chosen: bool


class Line(NamedTuple):
    """A row of the table; `percent` is its share of all that was used."""

    name: str
    named: bool
    calls: str
    used: str
    exact: str
    percent: int
    unrated: int


def _usage(visit: Visit) -> HttpResponse:
    balance = read_balance(visit.customer.key, visit.now)
    choices = _choices(visit, balance)
    choice = _chosen(visit, choices)
    by = visit.request.GET.get("by", "")
    by = by if by in COLUMNS else "feature"
    usage = usage_of(visit.customer.pk, by, choice.start, choice.end)
    custom = {"period": "custom", "from": choice.start, "to": choice.end - timedelta(days=1)}
    kept = custom if choice.name == "custom" else {"period": choice.name}
    context = {
        "title": "Usage",
        "choice": choice,
        "last_day": choice.end - timedelta(days=1),
        "periods": [
            Link(text, urlencode({"period": name, "by": by}), name == choice.name) for name, text, *_ in choices
        ],
        "cuts": [Link(text, urlencode({**kept, "by": name}), name == by) for name, text in _TITLES.items()],
        "by": by,
        "column": _TITLES[by],
        "lines": [_line(row.name, row.calls, row.used, row.unrated, usage, by) for row in usage.rows],
        "more": usage.more,
        "total": usage.total,
        "total_calls": count_text(usage.total.calls),
        "total_used": credits_text(usage.total.used),
        "charts": _charts(usage),
        "by_day": [(day, credits_text(used)) for day, used in reversed(usage.days) if used],
    }
    return visit.page("usage.html", context)


def _choices(visit: Visit, balance: BalanceView) -> list[tuple[str, str, date, date]]:
    """(name, words, first day, day after the last), the usual one first."""
    tomorrow = visit.now.astimezone(UTC).date() + timedelta(days=1)
    found = [(f"{days}", f"{days} days", tomorrow - timedelta(days=days), tomorrow) for days in (7, 30, 90)]
    if balance.period_start is None or balance.period_end is None:
        return [found[1], found[0], found[2]]
    before = _period_before(visit, balance.period_start)
    return [
        ("this", "This period", balance.period_start.date(), min(_day_after(balance.period_end), tomorrow)),
        ("last", "Last period", before[0].date(), _day_after(before[1])),
        *found,
    ]


def _period_before(visit: Visit, starts_at: datetime) -> tuple[datetime, datetime]:
    subscription = visit.customer.subscriptions.filter(ended_at=None).select_related("plan_version").first()
    if subscription is None:
        return starts_at - timedelta(days=30), starts_at
    interval = PlanVersion.objects.get(pk=subscription.plan_version_id).interval
    return period_at(subscription.anchor, interval, starts_at - timedelta(microseconds=1))


def _day_after(end: datetime) -> date:
    """The day after the last one with an instant before `end`."""
    return (end.astimezone(UTC) - timedelta(microseconds=1)).date() + timedelta(days=1)


def _chosen(visit: Visit, choices: list[tuple[str, str, date, date]]) -> Choice:
    wanted = visit.request.GET.get("period", "")
    usual = choices[0]
    if wanted == "custom":
        try:
            return _custom(visit)
        except ValueError as refusal:
            return Choice(usual[0], usual[2], usual[3], str(refusal))
    name, _, start, end = next((choice for choice in choices if choice[0] == wanted), usual)
    return Choice(name, start, end)


def _custom(visit: Visit) -> Choice:
    first, last = _day(visit, "from"), _day(visit, "to")
    end = last + timedelta(days=1)
    if first > last:
        raise ValueError("The first day must not be later than the last.")
    if (end - first).days > MOST_DAYS:
        raise ValueError(f"Choose at most {MOST_DAYS} days.")
    return Choice("custom", first, end)


def _day(visit: Visit, name: str) -> date:
    try:
        day = date.fromisoformat(visit.request.GET.get(name, ""))
    except ValueError:
        raise ValueError("Choose a first and a last day, such as 2026-11-01.") from None
    if not EARLIEST <= day < date(2200, 1, 1):
        raise ValueError("Choose days between the years 2000 and 2200.")
    return day


def _line(name: str, calls: int, used: int, unrated: int, usage: Usage, by: str) -> Line:
    share = percent_of(used, usage.total.used)
    return Line(
        name or _NOBODY[by], bool(name), count_text(calls), credits_text(used), format_credits(used), share, unrated
    )


def _charts(usage: Usage) -> list[str]:
    days = [
        Bar(f"{day.day} {day:%b}", used, f"{day:%a} {day.day} {day:%b}: {credits_text(used)} credits")
        for day, used in usage.days
    ]
    return [
        mark_safe(  # noqa: S308 - kernel/svg.py escapes every text
            bars(
                days,
                size=size,
                title="Credits used by day",
                description="The same figures are in the table below.",
                amount_text=credits_text,
            )
        )
        for size in (WIDE, NARROW)
    ]


usage = portal_page(_usage)
