"""The gate as an application of its own beside Django: authenticate, read, submit to a lane, answer."""

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from access.context import request_id_from
from access.key_cache import KeyInfo
from access.problems import InternalError
from entitlements.core.holds import HoldUnknown
from entitlements.core.runs import RunUnknown
from entitlements.gate import asgi, http
from entitlements.gate.answers import (
    check_answer,
    hold_answer,
    lease_settlement_answer,
    run_answer,
    settle_answer,
    usage_answer,
    usage_batch_answer,
)
from entitlements.gate.calls import (
    AcquireCall,
    CheckCall,
    Checked,
    CloseRunCall,
    ExtendCall,
    ItemOutcome,
    KeepDecisionCall,
    OpenRunCall,
    SettleCall,
    UsageCall,
    VoidCall,
)
from entitlements.gate.engine import Engine
from entitlements.gate.messages import ENDPOINTS
from entitlements.gate.reading import (
    read_check,
    read_extension,
    read_lease,
    read_lease_settlement,
    read_run,
    read_settlement,
    read_usage,
)
from entitlements.store.reference import Reference
from kernel.clock import utc_now
from kernel.errors import MethodNotAllowed, NotAuthenticated, Problem, ScopeMissing
from kernel.ids import parse_public_id
from kernel.usage import Usage
from metering.costing import Call

log = structlog.get_logger("weir.request")
_requests = logging.getLogger("weir.request")

Reply = tuple[int, Any]
Handler = Callable[[http.Request, "Caller"], Awaitable[Reply]]


class Caller:
    """Who calls: authenticated when the request arrives, and again with the data it is decided on."""

    def __init__(self, header: str, scope: str) -> None:
        self.header, self.scope = header, scope
        self.key: KeyInfo | None = None
        self._by: Reference | None = None

    def authorize(self, reference: Reference) -> None:
        """Raises NotAuthenticated, ScopeMissing."""
        if reference is self._by:
            return
        self.key = reference.keys.authenticate(self.header)
        if not self.key.may(self.scope):
            raise ScopeMissing(f"this API key lacks the scope {self.scope!r}")
        self._by = reference


class Route(NamedTuple):
    """What serves a path: the method it takes, the scope it needs, and who answers."""

    method: str
    scope: str
    handler: Handler


class Gate:
    """Serves the paths of `messages.ENDPOINTS`; one instance per process and event loop."""

    def __init__(self, dsn: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = Engine(dsn)
        self._clock = clock
        handlers: dict[str, Handler] = {
            "/v1/check": self._check,
            "/v1/usage": self._usage,
            "/v1/holds/{id}/settle": self._settle,
            "/v1/holds/{id}/void": self._void,
            "/v1/leases": self._acquire,
            "/v1/leases/{id}/extend": self._extend,
            "/v1/leases/{id}/settle": self._settle_lease,
            "/v1/leases/{id}/release": self._void,
            "/v1/runs": self._open_run,
            "/v1/runs/{id}/close": self._close_run,
        }
        self._background: asyncio.Task[None] | None = None
        self._routes = {
            endpoint.path: Route(endpoint.method, endpoint.scope, handlers[endpoint.path]) for endpoint in ENDPOINTS
        }

    def serves(self, path: str) -> bool:
        """Whether a path is the gate's and not Django's."""
        return path in self._routes or _pattern(path)[0] in self._routes

    async def start(self) -> None:
        """Load what the first call would otherwise wait for, and spare the collector what stays for good.

        A database that is not there yet is no reason not to start.
        """
        with suppress(Problem):
            reference = await self._engine.refreshed()
            reference.costs.cost(Usage(input_tokens=1), Call(None, "gpt-4o", self._clock()))
        gc.collect()
        gc.freeze()
        # A batch makes thousands of objects and drops them whole: looking for cycles every 700 finds none.
        gc.set_threshold(20_000, 20, 20)
        self._background = asyncio.create_task(self._flush_forever())

    async def close(self) -> None:
        """End what `start` began, and close the gate's connections."""
        if self._background is not None:
            self._background.cancel()
            with suppress(asyncio.CancelledError):
                await self._background
        await self._engine.close()

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Serve a request over ASGI."""
        with suppress(http.ClientGone):
            await asgi.respond(send, await self.answer(asgi.AsgiRequest(scope, receive)))

    async def answer(self, request: http.Request) -> http.Answer:
        """The answer to a request, of whatever server. Raises ClientGone; refuses and fails by answering so."""
        started = time.perf_counter()
        request_id = request_id_from(request.header("x-request-id"))
        caller = None
        try:
            route = self._route(request)
            caller = Caller(request.header("authorization"), route.scope)
            if not self._admits(caller):
                caller.authorize(await self._engine.refreshed())
            status, body = await route.handler(request, caller)
            answer = http.answer(status, body, request_id)
        except http.ClientGone:
            raise
        except Problem as problem:
            answer = http.refusal(problem, request_id)
        except Exception:
            log.exception("gate failed", request_id=request_id, path=request.path)
            answer = http.refusal(InternalError(), request_id)
        if _requests.isEnabledFor(logging.INFO):
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=answer.status,
                ms=round((time.perf_counter() - started) * 1000, 2),
                request_id=request_id,
                **({"key": caller.key.prefix, "key_name": caller.key.name} if caller and caller.key else {}),
            )
        return answer

    def _route(self, request: http.Request) -> Route:
        route = self._routes.get(request.path)
        if route is None:
            pattern, request.id = _pattern(request.path)
            route = self._routes[pattern]
        if request.method != route.method:
            raise MethodNotAllowed(f"{request.path} takes {route.method}")
        return route

    def _admits(self, caller: Caller) -> bool:
        """Turn strangers away before reading their bodies; False for a key that may be newer than our memory."""
        known = self._engine.reference.known()
        if known is None:
            return False
        try:
            caller.authorize(known)
        except (NotAuthenticated, ScopeMissing):
            if not caller.header.startswith("Bearer weir_sk_"):
                raise
            return False
        return True

    async def _check(self, request: http.Request, caller: Caller) -> Reply:
        customer, question = read_check(await request.json_body())
        now = self._clock()
        lane = self._engine.reads if question.hold is None else self._engine.writes
        checked: Checked = await lane.submit(CheckCall(caller.authorize, now, customer, question))
        if checked.record is not None and not checked.stored:
            await self._engine.writes.submit(KeepDecisionCall(caller.authorize, now, checked.record))
        return 200, check_answer(checked)

    async def _usage(self, request: http.Request, caller: Caller) -> Reply:
        now = self._clock()
        items, single = read_usage(await request.json_body(), now)
        readable = [item for item in items if not isinstance(item, Problem)]
        if single and not readable:
            raise _first_problem(items)
        outcomes: list[ItemOutcome] = []
        if readable:
            outcomes = await self._engine.writes.submit(UsageCall(caller.authorize, now, readable))
        if single:
            return usage_answer(readable[0][1], outcomes[0])
        return 200, usage_batch_answer(items, outcomes)

    async def _settle(self, request: http.Request, caller: Caller) -> Reply:
        customer_id, hold_id = _hold_id(request.id)
        now = self._clock()
        fact, final = read_settlement(await request.json_body(), hold_id, now)
        call = SettleCall(caller.authorize, now, customer_id, hold_id, [fact], final=final)
        return 200, settle_answer(fact, await self._engine.writes.submit(call))

    async def _settle_lease(self, request: http.Request, caller: Caller) -> Reply:
        customer_id, hold_id = _hold_id(request.id)
        now = self._clock()
        items = read_lease_settlement(await request.json_body(), hold_id, now)
        facts = [item for item in items if not isinstance(item, Problem)]
        call = SettleCall(caller.authorize, now, customer_id, hold_id, facts, final=False)
        return 200, lease_settlement_answer(items, await self._engine.writes.submit(call))

    async def _void(self, request: http.Request, caller: Caller) -> Reply:
        customer_id, hold_id = _hold_id(request.id)
        call = VoidCall(caller.authorize, self._clock(), customer_id, hold_id)
        return 200, hold_answer(await self._engine.writes.submit(call))

    async def _acquire(self, request: http.Request, caller: Caller) -> Reply:
        customer, lease = read_lease(await request.json_body())
        acquired = await self._engine.writes.submit(AcquireCall(caller.authorize, self._clock(), customer, lease))
        return 200 if acquired.replayed else 201, hold_answer(acquired)

    async def _extend(self, request: http.Request, caller: Caller) -> Reply:
        customer_id, hold_id = _hold_id(request.id)
        microcredits, seconds = read_extension(await request.json_body())
        call = ExtendCall(
            caller.authorize, self._clock(), customer_id, hold_id, microcredits=microcredits, ttl_seconds=seconds
        )
        return 200, hold_answer(await self._engine.writes.submit(call))

    async def _open_run(self, request: http.Request, caller: Caller) -> Reply:
        now = self._clock()
        wanted = read_run(await request.json_body(), now)
        call = OpenRunCall(
            caller.authorize,
            now,
            customer=wanted.customer,
            key=wanted.key,
            body_digest=wanted.body_digest,
            budget=wanted.budget,
            parent=wanted.parent,
            user_key=wanted.user_key,
        )
        opened = await self._engine.writes.submit(call)
        return 201 if opened.new else 200, run_answer(opened)

    async def _close_run(self, request: http.Request, caller: Caller) -> Reply:
        named = parse_public_id("run", request.id)
        if named is None:
            raise RunUnknown("there is no such run")
        return 200, run_answer(await self._engine.writes.submit(CloseRunCall(caller.authorize, self._clock(), *named)))

    async def _flush_forever(self) -> None:
        """Store now and then which keys were used."""
        while True:
            await asyncio.sleep(30)
            try:
                await self._engine.touch_keys(self._clock())
            except Problem:
                log.warning("could not store when keys were last used")


def _pattern(path: str) -> tuple[str, str]:
    """A path with its id, if it has one, taken out: ("/v1/holds/{id}/void", "hold_1_…")."""
    parts = path.split("/")
    if len(parts) == 5:
        return "/".join([*parts[:3], "{id}", parts[4]]), parts[3]
    return path, ""


def _hold_id(text: str) -> tuple[int, UUID]:
    named = parse_public_id("hold", text)
    if named is None:
        raise HoldUnknown("there is no such hold")
    return named


def _first_problem(items: list[Any]) -> Problem:
    return next(item for item in items if isinstance(item, Problem))
