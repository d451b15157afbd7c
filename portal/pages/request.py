"""A customer looking at their pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse

from entitlements.models import Customer
from portal.models import PortalSession
from portal.pages.frame import framed


class Told(NamedTuple):
    """What came of something, said at the top of the next page. `tone` is gain, plain, caution or loss."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser that has been let in, and its one instant."""

    request: HttpRequest
    session: PortalSession
    now: datetime

    @property
    def customer(self) -> Customer:
        return self.session.customer

    @property
    def asks_again(self) -> bool:
        """Whether the page that is open already asks, by itself, for what has changed."""
        return bool(getattr(self.request, "htmx", False))

    def page(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """A page with what every page shows around its own matter."""
        around = {"session": self.session, "customer": self.customer, "now": self.now}
        return framed(self.request, template, around | context, status=status)
