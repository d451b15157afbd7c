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
        """The handler and the variable parts of the path, in order."""
        for route in self._routes:
            match = route.pattern.fullmatch(path) if route.method == method else None
            if match is not None:
                return route.handler, match.groups()
        return None

    def _route(self, method: str, template: str) -> Callable[[Handler], Handler]:
        pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", template))

        def keep(handler: Handler) -> Handler:
            self._routes.append(Route(method, pattern, handler))
            return handler

        return keep


v1 = Routes()
"""Stripe's own API."""
