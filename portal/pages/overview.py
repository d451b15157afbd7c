"""The first page: what there is, how fast it goes, and what needs a decision."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.http import HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from moneyed import Money

from kernel.units import format_credits
from portal.charts import NARROW, WIDE, Reading, burn_down
from portal.pages.guard import portal_page
from portal.pages.notices import notices_of
from portal.pages.request import Visit
from portal.queries.position import Position, position_of
from portal.words import amount_text, credits_text, day_text, money_text, named, percent_of, span_text

_INSTANT: Final = timedelta(microseconds=1)


class Tile(NamedTuple):
    """A figure of the headline; `exact` is the unrounded one, `tone` "", "caution" or "loss"."""

    label: str
    text: str
    note: str
    exact: str = ""
    tone: str = ""


class Day(NamedTuple):
    """A row of the chart's table."""

    day: datetime
    used: str
    added: str
    left: str


class Gauge(NamedTuple):
    """How far a limit is used."""

    name: str
    text: str
    percent: int
    tone: str
    resets_at: datetime | None


def _overview(visit: Visit) -> HttpResponse:
    position = position_of(visit.customer, visit.now)
    context = {
        "title": "Overview",
        "tiles": _tiles(position),
        "notices": notices_of(position),
        "plan": position.plan,
        **_terms(position),
        "account": position.account,
        "charts": _charts(position),
        "days": _days(position),
        "gauges": list(_gauges(position)),
        "starts_at": position.starts_at,
    }
    return visit.page("overview.html", context)


def _tiles(position: Position) -> list[Tile]:
    account = position.account
    per_day = round(position.per_day)
    return [
        _available(position),
        Tile("Held", credits_text(account.held), "set aside for work under way", format_credits(account.held)),
        Tile(
            "Used this period" if account.period_start else "Used in 30 days",
            credits_text(position.used),
            f"{credits_text(per_day)} a day lately" if per_day else "nothing lately",
            format_credits(position.used),
        ),
        _runway(position),
    ]


def _available(position: Position) -> Tile:
    available = position.account.available
    note, tone = "to spend now", ""
    if available < 0:
        note, tone = "owed: the next credits pay it first", "loss"
    elif not available:
        note, tone = ("calls go on as overage", "") if position.may_run_over else ("nothing to spend", "caution")
    return Tile("Available", credits_text(available), note, format_credits(available), tone)


def _runway(position: Position) -> Tile:
    account, out_at = position.account, position.runs_out_at
    if account.available <= 0:
        on_overage = position.may_run_over
        return Tile(
            "Runway", "none", "in overage" if on_overage else "nothing is left", tone="" if on_overage else "loss"
        )
    if not position.per_day:
        return Tile("Runway", "–", "nothing burns at the moment")
    renewal = account.allowance_end
    if out_at is None:
        return Tile("Runway", "over a year", "at the current burn")
    if renewal is not None and out_at >= renewal:
        return Tile("Runway", "enough", f"lasts until credits renew on {day_text(timezone.localtime(renewal))}")
    text = span_text(out_at - position.now).removeprefix("about ")
    on = f"until {day_text(timezone.localtime(out_at))}, at the current burn"
    return Tile("Runway", text, on, tone="caution" if renewal is not None else "")


def _terms(position: Position) -> dict[str, str]:
    """What the plan costs and includes, in words."""
    plan = position.plan
    if plan is None:
        return {}
    price = Money(plan.price, plan.currency)
    terms = {"plan_price": f"{money_text(price)} a {plan.interval}" if price.amount else "free"}
    if plan.included_microcredits:
        often = {"never": "once", "day": "a day", "week": "a week", "month": "a month", "year": "a year"}
        terms["included"] = f"{credits_text(plan.included_microcredits)} credits {often[plan.allowance_renewal]}"
    if plan.overage_price is not None:
        terms["overage"] = f"{money_text(Money(plan.overage_price, plan.currency))} a credit"
    return terms


def _charts(position: Position) -> list[SafeString]:
    """The same burn-down, drawn for a desk and for a phone."""
    past = position.readings
    ahead = []
    if position.per_day and position.total > 0:
        points = position.outlook(position.ends_at - _INSTANT).points  # what expires as the period ends is its end
        # The line goes on from where it stands: what is held is not gone yet.
        held = position.account.held
        ahead = [Reading(position.now, position.total), *(Reading(each.at, each.left + held) for each in points[1:])]
        ahead = [Reading(each.at, min(each.left, position.total)) for each in ahead]
    described = (
        f"Credits left from {day_text(timezone.localtime(position.starts_at))} until now, and dashed, if burning goes "
        f"on as in the last seven days, until {day_text(timezone.localtime(position.ends_at))}. "
        "The same figures are in the table below."
    )
    return [
        mark_safe(  # noqa: S308 - kernel/svg.py escapes every text
            burn_down(
                past,
                ahead,
                size=size,
                start=position.starts_at,
                end=position.ends_at,
                title="Credits left",
                description=described,
                amount_text=_axis,
                day_text=lambda at: day_text(timezone.localtime(at)),
            )
        )
        for size in (WIDE, NARROW)
    ]


def _axis(microcredits: int) -> str:
    text = credits_text(microcredits)
    return text.removesuffix(",000") + "k" if text.endswith(",000") else text


def _days(position: Position) -> list[Day]:
    """Each day's movements, newest first."""
    left = position.total - sum(movement.net for movement in position.steps)
    days: dict[datetime, tuple[int, int, int]] = {}
    for movement in position.steps:
        day = timezone.localtime(movement.starts_at).replace(hour=0, minute=0, second=0, microsecond=0)
        used, added, _ = days.get(day, (0, 0, 0))
        left += movement.net
        days[day] = (used + movement.used, added + movement.net + movement.used, left)
    return [
        Day(day, credits_text(used), credits_text(added), credits_text(left))
        for day, (used, added, left) in reversed(days.items())
    ]


def _gauges(position: Position) -> Iterator[Gauge]:
    for standing in position.standings():
        limit = standing.limit
        if standing.used is None:
            continue
        whose = f" of {standing.user or standing.run}" if standing.user or standing.run else ""
        tone = "loss" if not standing.left else "caution" if standing.reached_percent else ""
        used, most = amount_text(standing.taken, limit.unit), amount_text(limit.value, limit.unit)
        yield Gauge(
            f"{named(limit.key)}{whose}",
            f"{used} of {most} {limit.unit} per {limit.window}",
            percent_of(standing.taken, limit.value),
            tone,
            standing.resets_at,
        )


overview = portal_page(_overview)
