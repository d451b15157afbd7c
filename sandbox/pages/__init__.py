"""Pages for people, each a function of the house, the method, the form and the variable parts of the path."""

import re
from collections.abc import Callable

from sandbox.errors import UnknownUrl
from sandbox.house import House
from sandbox.pages.home import home
from sandbox.pages.layout import Page
from sandbox.pages.paying import authenticate, checkout, invoice, receipt
from sandbox.pages.portal import portal

__all__ = ["Page", "find_page"]

_PAGES: tuple[tuple[str, Callable[..., Page]], ...] = (
    (r"/", home),
    (r"/pay/([^/]+)", checkout),
    (r"/authenticate/([^/]+)", authenticate),
    (r"/invoice/([^/]+)/([^/]+?)(?:/pdf)?", invoice),
    (r"/receipt/([^/]+)", receipt),
    (r"/portal/([^/]+)", portal),
)


def find_page(house: House, method: str, path: str, form: dict[str, str]) -> Page:
    """The page at this path. Raises UnknownUrl."""
    for pattern, page in _PAGES:
        match = re.fullmatch(pattern, path)
        if match is not None:
            return page(house, method, form, *match.groups())
    raise UnknownUrl("There is no such page.")
