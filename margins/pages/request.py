"""What a page was asked to show."""

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from django.http import HttpRequest

from kernel.errors import InvalidInput
from margins.period import Period, period_of, usual_periods


@dataclass(frozen=True, slots=True)
class Asked:
    """The days, the billing currency (None: the page's choice), and why the days are not the ones asked for."""

    period: Period
    currency: str | None
    refusal: str
    now: datetime

    @property
    def query(self) -> str:
        """The same question as a query string, for links that keep it."""
        return self.query_for(self.period)

    def query_for(self, period: Period, **more: str) -> str:
        currency = {"currency": self.currency} if self.currency else {}
        return urlencode({"from": period.start, "to": period.end, **currency, **more})

    @property
    def usual(self) -> list[tuple[str, str, bool]]:
        """Links to the usual stretches: what to call it, its query, whether it is the one shown."""
        return [(label, self.query_for(one), one == self.period) for label, one in usual_periods(self.now)]


def read_asked(request: HttpRequest, now: datetime) -> Asked:
    """The question in the query string. A malformed one is answered for the usual days, saying so."""
    currency = request.GET.get("currency") or None
    try:
        period = period_of(_day(request, "from"), _day(request, "to"), now)
    except InvalidInput as refusal:
        return Asked(period_of(None, None, now), currency, f"{refusal.field} {refusal.detail}", now)
    return Asked(period, currency, "", now)


def _day(request: HttpRequest, name: str) -> date | None:
    text = request.GET.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("must be a day such as 2026-11-01", field=name) from None
