"""Idempotency keys (https://docs.stripe.com/api/idempotent_requests): a request sent twice is done once."""

import json
from collections.abc import Callable
from typing import NamedTuple

from sandbox.errors import KeyReused, Obj, ServerError, StripeError
from sandbox.params import Tree
from sandbox.world import World

KEPT_SECONDS = 24 * 3600
"""Stripe keeps a key's answer for at least that long; the sandbox for no longer: a later retry is a new request."""


class Kept(NamedTuple):
    """An answer given before."""

    request_id: str
    status: int
    body: Obj


def fingerprint(method: str, path: str, tree: Tree) -> str:
    """What makes two requests the same; the order of parameters does not matter."""
    return json.dumps([method, path, tree], sort_keys=True)


def recall(world: World, key: str | None, request: str) -> Kept | None:
    """The answer this key was given before. Raises KeyReused if it was to another request."""
    if key is None:
        return None
    sql = world.store.sql
    sql.execute("DELETE FROM answer WHERE key = ? AND at < ?", (key, world.now() - KEPT_SECONDS))
    row = sql.execute("SELECT request, request_id, status, body FROM answer WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row[0] != request:
        raise KeyReused(key)
    return Kept(row[1], row[2], json.loads(row[3]))


def given(
    world: World, key: str | None, request: str, request_id: str, run: Callable[[], Obj], *, spoilt: bool
) -> tuple[int, Obj]:
    """Do it, keeping the answer in the same unit of work. Requests that were never begun are not kept, as at Stripe.

    `spoilt`: it is done, but the answer, now and for every retry, is an internal error.
    """

    def remember(status: int, body: Obj) -> tuple[int, Obj]:
        if spoilt:
            status, body = ServerError.status, ServerError("Sorry, there was an error on our end.").body()
        if key is not None:
            world.store.sql.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)",
                (key, request, request_id, status, json.dumps(body), world.now()),
            )
        return status, body

    def begun() -> tuple[int, Obj]:
        try:
            return remember(200, run())
        except StripeError as error:
            if error.keeps_changes:
                remember(error.status, error.body())
            raise

    try:
        return world.work(begun)
    except StripeError as error:
        if error.status == 402 and not error.keeps_changes:
            refusal = error
            world.work(lambda: remember(refusal.status, refusal.body()))
        elif spoilt and error.keeps_changes:
            raise ServerError("Sorry, there was an error on our end.") from error
        raise
