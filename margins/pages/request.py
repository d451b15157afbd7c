"""What a page was asked to show."""

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from django.http import HttpRequest

from kernel.clock import utc_now
from kernel.errors import InvalidInput
from margins.period import Period, period_of, usual_periods
from margins.savings.hosting import Server


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


def ask(request: HttpRequest) -> Asked:
    """The question in the query string, asked now. A malformed one is answered for the usual days, saying so."""
    now = utc_now()
    currency = request.GET.get("currency") or None
    try:
        period = period_of(_day(request, "from"), _day(request, "to"), now)
    except InvalidInput as refusal:
        return Asked(period_of(None, None, now), currency, f"{refusal.field} {refusal.detail}", now)
    return Asked(period, currency, "", now)


def asked_server(request: HttpRequest) -> Server:
    """The server to compare with; what is missing or no positive number is as usually assumed."""
    usual = Server()
    return Server(
        usd_per_month=_number(request, "usd_per_month", usual.usd_per_month),
        tokens_per_second=_number(request, "tokens_per_second", usual.tokens_per_second),
        busy_percent=min(100, _number(request, "busy_percent", usual.busy_percent)),
    )


def _number(request: HttpRequest, name: str, usual: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else usual


def _day(request: HttpRequest, name: str) -> date | None:
    text = request.GET.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("must be a day such as 2026-11-01", field=name) from None
