"""Which function answers which method on which path."""

import re
from collections.abc import Callable
from typing import NamedTuple

from sandbox.errors import Obj

Handler = Callable[..., Obj]
"""``handler(world, params, *path_parts)``: reads the parameters it simulates and answers an object."""


class Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    handler: Handler


class Routes:
    """A table of them, filled by decorators."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def get(self, template: str) -> Callable[[Handler], Handler]:
        return self._route("GET", template)

    def post(self, template: str) -> Callable[[Handler], Handler]:
        return self._route("POST", template)

    def delete(self, template: str) -> Callable[[Handler], Handler]:
        return self._route("DELETE", template)

    def find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
        """The handler and the variable parts of the path, in order.

        Where two match, the one with fewer variable parts: ``/v1/invoices/create_preview`` names no invoice.
        """
        matches = [
            (route.pattern.groups, route.handler, match.groups())
            for route in self._routes
            if route.method == method and (match := route.pattern.fullmatch(path))
        ]
        return min(matches, key=lambda one: one[0])[1:] if matches else None

    def _route(self, method: str, template: str) -> Callable[[Handler], Handler]:
        pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", template))

        def keep(handler: Handler) -> Handler:
            self._routes.append(Route(method, pattern, handler))
            return handler

        return keep


v1 = Routes()
"""Stripe's own API."""
