"""A request to /v1, from its headers to its answer: who asks, whether it makes sense, whether it was asked before."""

import re
import sys
import traceback
from base64 import b64decode
from binascii import Error as NotBase64
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote

from sandbox import API_VERSION, answers, timeline
from sandbox.errors import (
    BreaksSpecification,
    InvalidRequest,
    NotSimulated,
    Obj,
    ServerError,
    StripeError,
    Unauthorized,
    UnknownUrl,
)
from sandbox.faults import ConnectionBreaks, Fault, Faults, strike_before
from sandbox.objects import (
    balance,
    catalogue,
    charges,
    checkout,
    customers,
    disputes,
    endings,
    events,
    invoiceitems,
    invoices,
    payment_intents,
    payment_methods,
    portal,
    previews,
    refunds,
    setup_intents,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
from sandbox.params import Params, Tree, decode
from sandbox.render import Expander, Includable, public
from sandbox.routes import Handler, v1
from sandbox.specification import Operation, Specification
from sandbox.world import World

FAMILIES = (
    balance,
    catalogue,
    charges,
    checkout,
    customers,
    disputes,
    endings,
    events,
    invoiceitems,
    invoices,
    payment_intents,
    payment_methods,
    portal,
    previews,
    refunds,
    setup_intents,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
"""Importing a family adds its routes."""

_LOGGED = 20_000


@dataclass(frozen=True)
class Call:
    """An HTTP request; header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; the fault, if any, is what happens on its way back."""

    status: int
    body: Obj
    headers: dict[str, str]
    fault: Fault | None = None


class Api:
    """Stripe's API over a world. Keeps a log of requests, and of those Stripe would not have understood."""

    def __init__(self, world: World, specification: Specification | None, *, checks_answers: bool = False) -> None:
        self.world = world
        self.specification = specification
        self.faults = Faults()
        self.log: deque[Obj] = deque(maxlen=_LOGGED)
        self.violations: list[Obj] = []
        self._checks_answers = checks_answers
        self._expander = Expander(world.store.get, _includable(world))

    def answer(self, call: Call) -> Answer:
        """Never raises but ConnectionBreaks."""
        with self.world.lock:
            entry: Obj = {"id": self.world.new_id("request"), "method": call.method, "path": call.path}
            entry |= {
                "params": {},
                "idempotency_key": call.headers.get("idempotency-key"),
                "replayed": False,
                "fault": None,
            }
            self.log.append(entry)
            headers = {"Request-Id": entry["id"], "Stripe-Version": API_VERSION}
            if entry["idempotency_key"]:
                headers["Idempotency-Key"] = entry["idempotency_key"]
            try:
                answered = self._answer(call, entry, headers)
            except StripeError as error:
                answered = Answer(error.status, error.body(), headers)
            except ConnectionBreaks:
                entry["status"] = None
                raise
            except Exception:  # noqa: BLE001 - the sandbox's own mistake must be seen, not end the process
                self._violation(entry, "crash", traceback.format_exc().splitlines()[-3:])
                traceback.print_exc(file=sys.stderr)
                answered = Answer(500, ServerError("The sandbox itself failed; see its log.").body(), headers)
            entry["status"] = answered.status
            return answered

    def _answer(self, call: Call, entry: Obj, headers: dict[str, str]) -> Answer:
        _authenticate(call.headers.get("authorization", ""))
        tree = entry["params"] = _merged(decode(call.query), decode(call.body))
        handler, parts, operation = self._route(call, entry, tree)
        fault = self.faults.pick(call.method, call.path)
        entry["fault"] = fault and fault.fault
        strike_before(fault)
        timeline.catch_up(self.world)
        fingerprint = answers.fingerprint(call.method, call.path, tree)
        key = entry["idempotency_key"] if call.method == "POST" else None
        kept = self.world.work(lambda: answers.recall(self.world, key, fingerprint))
        if kept is not None:
            entry["replayed"] = True
            headers |= {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            return Answer(kept.status, kept.body, headers | _advice(kept.status), fault)
        run = partial(self._run, handler, parts, tree, entry, operation)
        status, body = answers.given(
            self.world, key, fingerprint, entry["id"], run, spoilt=_is(fault, "server_error_after")
        )
        timeline.catch_up(self.world)
        if _is(fault, "drop_after"):
            raise ConnectionBreaks
        return Answer(status, body, headers | _advice(status), fault)

    def _route(self, call: Call, entry: Obj, tree: Tree) -> tuple[Handler, tuple[str, ...], Operation | None]:
        """The function that answers, if the request is one Stripe would understand and the sandbox simulates."""
        version = call.headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            self._violation(entry, "version", [version])
            raise InvalidRequest(
                f"This sandbox speaks {API_VERSION} only; the request asked for {version}. Pin it: "
                f'StripeClient(key, stripe_version="{API_VERSION}").'
            )
        found = v1.find(call.method, call.path)
        operation = self.specification.operation(call.method, call.path) if self.specification else None
        if self.specification is not None and operation is None:
            self._violation(entry, "specification", ["no such operation"])
            raise UnknownUrl(f"Unrecognized request URL ({call.method}: {call.path}).")
        problems = operation.problems(tree) if operation is not None else []
        if problems:
            self._violation(entry, "specification", problems)
            raise BreaksSpecification(problems)
        if found is None:
            self._violation(entry, "not simulated", [f"{call.method} {call.path}"])
            raise UnknownUrl(
                f"The sandbox does not simulate {call.method} {call.path}.", code="sandbox_does_not_simulate"
            )
        handler, parts = found
        return handler, tuple(unquote(part) for part in parts), operation

    def _run(
        self, handler: Handler, parts: tuple[str, ...], tree: Tree, entry: Obj, operation: Operation | None
    ) -> Obj:
        """Inside a unit of work: do it, and show the result."""
        self.world.request = {"id": entry["id"], "idempotency_key": entry["idempotency_key"]}
        params = Params(tree)
        expansions = params.texts("expand")
        try:
            result = handler(self.world, params, *parts)
        except NotSimulated as error:
            self._violation(entry, "not simulated", [error.message])
            raise
        unread = params.unread()
        if unread:
            self._violation(entry, "not simulated", unread)
            raise NotSimulated(f"The sandbox does not simulate: {', '.join(unread)}.", param=unread[0])
        shown: Obj = public(result)
        for path in expansions:
            self._expander.expand(shown, path)
        if self._checks_answers and operation is not None:
            wrong = operation.problems_of_answer(shown)
            if wrong:
                self._violation(entry, "answer", wrong)
        return shown

    def _violation(self, entry: Obj, kind: str, problems: list[str]) -> None:
        where = {"request": entry["id"], "method": entry["method"], "path": entry["path"]}
        self.violations.append(where | {"kind": kind, "problems": problems})


def _is(fault: Fault | None, name: str) -> bool:
    return fault is not None and fault.fault == name


def _advice(status: int) -> dict[str, str]:
    """An error that is remembered is not worth a retry."""
    return {"Stripe-Should-Retry": "false"} if status == 500 else {}


def _authenticate(header: str) -> None:
    """Test-mode secret keys only. Raises Unauthorized."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            credentials = b64decode(credentials).decode().partition(":")[0]
        except (NotBase64, UnicodeDecodeError):
            credentials = ""
    if re.match(r"(sk|rk)_live_", credentials):
        raise Unauthorized(
            "A live-mode key was sent to the sandbox. It was refused, and not kept; use a test-mode key."
        )
    if not re.match(r"(sk|rk)_test_\w+$", credentials):
        raise Unauthorized("Invalid API Key provided. The sandbox takes any test-mode secret key: sk_test_...")


def _merged(query: Tree, body: Tree) -> Tree:
    return {**query, **body}


def _includable(world: World) -> dict[tuple[str, str], Includable]:
    """Parts that are shown only when expanded."""
    return {
        ("charge", "refunds"): partial(refunds.refunds_of, world),
        ("checkout.session", "line_items"): partial(checkout.line_items_of, world),
        ("invoice", "confirmation_secret"): partial(invoices.confirmation_secret_of, world),
        ("invoice", "payments"): partial(invoices.payments_of, world),
    }
