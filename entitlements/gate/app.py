"""The gate as an ASGI application: authenticate, read, submit to a lane, answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog

from access.context import request_id_from
from access.key_cache import KeyInfo
from access.problems import InternalError
from entitlements.gate import http
from entitlements.gate.answers import check_answer, usage_answer, usage_batch_answer
from entitlements.gate.engine import CheckCall, Engine, UsageCall, UsageOutcome
from entitlements.gate.reading import read_check, read_usage
from entitlements.store.reference import Reference
from kernel.clock import utc_now
from kernel.errors import MethodNotAllowed, NotAuthenticated, Problem, ScopeMissing

log = structlog.get_logger("weir.request")

Reply = tuple[int, Any]
Handler = Callable[[http.Request, "Caller"], Awaitable[Reply]]


class Caller:
    """Who calls: authenticated when the request arrives, and again with the data it is decided on."""

    def __init__(self, header: str, scope: str) -> None:
        self.header, self.scope = header, scope
        self.key: KeyInfo | None = None

    def authorize(self, reference: Reference) -> None:
        """Raises NotAuthenticated, ScopeMissing."""
        self.key = reference.keys.authenticate(self.header)
        if not self.key.may(self.scope):
            raise ScopeMissing(f"this API key lacks the scope {self.scope!r}")


class Gate:
    """Serves the paths of `routes`; one instance per process and event loop."""

    def __init__(self, dsn: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = Engine(dsn)
        self._clock = clock
        self.routes: dict[str, dict[str, tuple[str, Handler]]] = {
            "/v1/check": {"POST": ("check", self._check)},
            "/v1/usage": {"POST": ("usage", self._usage)},
        }

    def serves(self, scope: http.Scope) -> bool:
        """Whether the request is the gate's and not Django's."""
        return scope["type"] == "http" and scope["path"] in self.routes

    async def close(self) -> None:
        """Close the gate's connections."""
        await self._engine.close()

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        started = time.perf_counter()
        request = http.Request(scope, receive)
        request_id = request_id_from(request.headers.get("x-request-id"))
        caller = None
        try:
            needed, handler = self._route(request)
            caller = Caller(request.headers.get("authorization", ""), needed)
            await self._admit(caller)
            status, body = await handler(request, caller)
            await http.answer(send, status, body, request_id=request_id)
        except http.ClientGone:
            return
        except Problem as problem:
            status = problem.status
            await http.refuse(send, problem, request_id=request_id)
        except Exception:
            status = 500
            log.exception("gate failed", request_id=request_id, path=request.path)
            await http.refuse(send, InternalError(), request_id=request_id)
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 2),
            request_id=request_id,
            **({"key": caller.key.prefix, "key_name": caller.key.name} if caller and caller.key else {}),
        )

    def _route(self, request: http.Request) -> tuple[str, Handler]:
        methods = self.routes[request.path]
        if request.method not in methods:
            raise MethodNotAllowed(f"{request.path} takes {', '.join(methods)}")
        return methods[request.method]

    async def _admit(self, caller: Caller) -> None:
        """Turn strangers away before reading their bodies. A key newer than our memory gets a second look."""
        known = self._engine.reference.known()
        if known is not None:
            with suppress(NotAuthenticated, ScopeMissing):
                caller.authorize(known)
                return
            if not caller.header.startswith("Bearer weir_sk_"):
                caller.authorize(known)
        caller.authorize(await self._engine.refreshed())

    async def _check(self, request: http.Request, caller: Caller) -> Reply:
        customer, question = read_check(await request.json_body())
        result = await self._engine.checks.submit(
            CheckCall(authorize=caller.authorize, now=self._clock(), customer=customer, question=question)
        )
        return 200, check_answer(result)

    async def _usage(self, request: http.Request, caller: Caller) -> Reply:
        now = self._clock()
        items, single = read_usage(await request.json_body(), now)
        readable = [item for item in items if not isinstance(item, Problem)]
        if single and not readable:
            raise _first_problem(items)
        outcomes: list[UsageOutcome] = []
        if readable:
            outcomes = await self._engine.usage.submit(UsageCall(authorize=caller.authorize, now=now, items=readable))
        if single:
            return usage_answer(readable[0][1], outcomes[0])
        return 200, usage_batch_answer(items, outcomes)

    async def flush_forever(self) -> None:
        """Store now and then which keys were used."""
        while True:
            await asyncio.sleep(30)
            try:
                await self._engine.touch_keys(self._clock())
            except Problem:
                log.warning("could not store when keys were last used")


def _first_problem(items: list[Any]) -> Problem:
    return next(item for item in items if isinstance(item, Problem))
