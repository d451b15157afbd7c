"""Webhooks: really signed, and brought by a courier who can be made to lose, double, delay and shuffle them."""

import hashlib
import heapq
import hmac
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from random import Random
from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import InvalidRequest, Obj
from sandbox.render import public
from sandbox.world import Parcel, World

TIMEOUT_SECONDS = 10
_WORKERS = 4
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Manners:
    """How the courier behaves. Shares are from 0 to 1; the seed makes two runs alike."""

    paused: bool = False
    """Keep everything until told to deliver."""
    drop: float = 0.0
    duplicate: float = 0.0
    delay_seconds: float = 0.0
    """Each copy waits up to this long, which also mixes their order."""
    shuffle: bool = False
    """Of what is ready, take any."""
    max_attempts: int = 8
    retry_seconds: float = 0.5
    """After a failure; doubled each time."""
    seed: str = "courier"


class _Undeliverable(Exception):
    """There is no use in trying again."""


class WebhookCourier:
    """Takes events as they are committed, and posts them to every endpoint that wants them."""

    def __init__(self, world: World, *, allowed_host: str | None = None, manners: Manners | None = None) -> None:
        """Delivers to loopback and to `allowed_host` only, whatever an endpoint's URL says."""
        self.world = world
        self.manners = manners or Manners()
        self._hosts = _LOOPBACK | ({allowed_host} if allowed_host else set())
        self._random = Random(self.manners.seed)
        self._condition = threading.Condition()
        self._waiting: list[tuple[float, float, Parcel]] = []
        self._under_way = 0
        self._stopped = False
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(_WORKERS)]

    def start(self) -> None:
        """Begin, with what an earlier process left undelivered."""
        for worker in self._workers:
            worker.start()
        if not self.manners.paused:
            self.release()

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def behave(self, **changes: Any) -> Manners:
        """Change manners; a new seed starts the dice anew. No longer paused, the courier delivers what it kept."""
        try:
            changed = replace(self.manners, **changes)
        except TypeError as problem:
            raise InvalidRequest(f"Unknown manners: {problem}") from None
        was_paused, self.manners = self.manners.paused, changed
        if "seed" in changes:
            self._random = Random(changed.seed)
        if was_paused and not changed.paused:
            self.release()
        return changed

    def forget(self, manners: Manners) -> None:
        """Lose all but what is under way, which arrives first; then behave like this. Not with the world's lock."""
        with self._condition:
            self._waiting.clear()
            self._condition.wait_for(lambda: not self._under_way, TIMEOUT_SECONDS)
            self._waiting.clear()  # what was to be tried again
        self.manners, self._random = manners, Random(manners.seed)

    def release(self) -> int:
        """Hand over everything that is still undelivered and not under way. Returns how many parcels that is."""
        with self.world.lock:
            rows = self.world.store.sql.execute(
                "SELECT id, event, endpoint FROM delivery WHERE state = 'waiting' ORDER BY id"
            ).fetchall()
        with self._condition:
            known = {parcel.delivery for _, _, parcel in self._waiting}
        parcels = [Parcel(*row) for row in rows if row[0] not in known]
        self._queue(parcels)
        return len(parcels)

    def settle(self, timeout_seconds: float) -> bool:
        """Wait until nothing is on its way any more; False if that takes longer."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._waiting and not self._under_way, timeout_seconds)

    # What the world calls, holding its lock

    def address(self, events: list[Obj]) -> list[Parcel]:
        endpoints = (
            [one for one in self.world.store.find("webhook_endpoint") if one["status"] == "enabled"] if events else []
        )
        return [
            self._label(event, endpoint)
            for event in events
            for endpoint in reversed(endpoints)
            if any(fnmatchcase(event["type"], pattern) for pattern in endpoint["enabled_events"])
        ]

    def hand_over(self, parcels: list[Parcel]) -> None:
        if parcels and not self.manners.paused:
            self._queue(parcels)

    def _label(self, event: Obj, endpoint: Obj) -> Parcel:
        event["pending_webhooks"] += 1
        event["_undelivered"] = True
        row = self.world.store.sql.execute(
            "INSERT INTO delivery (event, endpoint, state, attempts, detail) "
            "VALUES (?, ?, 'waiting', 0, '') RETURNING id",
            (event["id"], endpoint["id"]),
        ).fetchone()
        return Parcel(row[0], event["id"], endpoint["id"])

    # On the way

    def _queue(self, parcels: list[Parcel]) -> None:
        dropped = []
        with self._condition:
            for parcel in parcels:
                if self._random.random() < self.manners.drop:
                    dropped.append(parcel)
                    continue
                for _ in range(2 if self._random.random() < self.manners.duplicate else 1):
                    order = self._random.random() if self.manners.shuffle else parcel.delivery
                    self._push(parcel, self._random.random() * self.manners.delay_seconds, order)
            self._condition.notify_all()
        for parcel in dropped:
            self._note(parcel, "dropped", "lost on the way, as the sandbox was told to")

    def _push(self, parcel: Parcel, delay_seconds: float, order: float) -> None:
        """What need not wait is all due at the same moment, so that only `order` decides among it."""
        due = time.monotonic() + delay_seconds if delay_seconds else 0.0
        heapq.heappush(self._waiting, (due, order, parcel))

    def _work(self) -> None:
        while True:
            with self._condition:
                parcel = self._take()
                while parcel is None:
                    if self._stopped:
                        return
                    self._condition.wait(self._until_next())
                    parcel = self._take()
                self._under_way += 1
            try:
                self._deliver(parcel)
            finally:
                with self._condition:
                    self._under_way -= 1
                    self._condition.notify_all()

    def _take(self) -> Parcel | None:
        if self._stopped or not self._waiting or self._waiting[0][0] > time.monotonic():
            return None
        return heapq.heappop(self._waiting)[2]

    def _until_next(self) -> float | None:
        return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None

    def _deliver(self, parcel: Parcel) -> None:
        try:
            status = self._post(parcel.event, parcel.endpoint)
        except _Undeliverable as problem:
            self._note(parcel, "failed", str(problem))
            return
        detail = f"answered {status}" if status else "no answer"
        if 200 <= status < 300:
            self._note(parcel, "delivered", detail)
            return
        attempts = self._note(parcel, "waiting", detail)
        if attempts >= self.manners.max_attempts:
            self._note(parcel, "failed", detail, counts=False)
            return
        with self._condition:
            self._push(parcel, self.manners.retry_seconds * 2.0 ** (attempts - 1), parcel.delivery)
            self._condition.notify_all()

    def _note(self, parcel: Parcel, state: str, detail: str, *, counts: bool = True) -> int:
        """Write down what became of a parcel; a copy that comes later does not undo a delivery."""

        def write() -> int:
            sql = self.world.store.sql
            row = sql.execute("SELECT state, attempts FROM delivery WHERE id = ?", (parcel.delivery,)).fetchone()
            if row is None:  # the sandbox was emptied meanwhile
                return self.manners.max_attempts
            attempts = int(row[1]) + (1 if counts and state != "dropped" else 0)
            kept = "delivered" if row[0] == "delivered" else state
            sql.execute(
                "UPDATE delivery SET state = ?, attempts = ?, detail = ? WHERE id = ?",
                (kept, attempts, detail, parcel.delivery),
            )
            if state == "delivered" and row[0] != "delivered":
                event = self.world.get("event", parcel.event)
                event["pending_webhooks"] -= 1
                if not event["pending_webhooks"]:
                    del event["_undelivered"]
            return attempts

        return self.world.work(write)

    # The wire

    def send(
        self, event: str, *, times: int = 1, concurrently: bool = False, forged: bool = False, age_seconds: int = 0
    ) -> list[int]:
        """Post one event now, whatever was delivered before. Answers the status of each post, 0 for no answer.

        `forged` signs with another secret; `age_seconds` dates the signature back, as a replayed one is.
        """
        endpoints = self.world.work(lambda: [one["id"] for one in self.world.store.find("webhook_endpoint")])
        posts: list[Callable[[], int]] = [
            lambda endpoint=endpoint: self._post(event, endpoint, forged=forged, age_seconds=age_seconds)  # type: ignore[misc]
            for endpoint in endpoints
            for _ in range(times)
        ]
        with ThreadPoolExecutor(max(1, len(posts) if concurrently else 1)) as pool:
            return list(pool.map(lambda post: post(), posts))

    def _post(self, event: str, endpoint: str, *, forged: bool = False, age_seconds: int = 0) -> int:
        """The status answered; 0 if there was no answer."""
        url, secret, body = self.world.work(lambda: self._packed(event, endpoint))
        parts = urlsplit(url)
        if parts.hostname not in self._hosts:
            raise _Undeliverable(f"the sandbox sends nothing to {parts.hostname}")
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, "whsec_forged" if forged else secret, int(time.time()) - age_seconds),
        }
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", parts._replace(scheme="", netloc="").geturl() or "/", body, headers)
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()

    def _packed(self, event: str, endpoint: str) -> tuple[str, str, bytes]:
        sent, to = self.world.store.get(event), self.world.store.get(endpoint)
        if sent is None or to is None or to.get("deleted"):
            raise _Undeliverable("the event or the endpoint is gone")
        return to["url"], to["_secret"], _written(sent)

    def log(self, *, state: str | None = None) -> list[Obj]:
        """Every delivery so far, or those in one state: waiting, delivered, dropped, failed."""
        with self.world.lock:
            rows = self.world.store.sql.execute(
                "SELECT d.id, d.event, json_extract(o.body, '$.type'), d.endpoint, d.state, d.attempts, d.detail "
                "FROM delivery d JOIN object o ON o.id = d.event WHERE ? IS NULL OR d.state = ? ORDER BY d.id",
                (state, state),
            ).fetchall()
        names = ("id", "event", "type", "endpoint", "state", "attempts", "detail")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def as_json(self) -> Obj:
        return asdict(self.manners)


def letter(event: Obj, secret: str) -> Obj:
    """An event as it would be posted now: the body, and the header that vouches for it."""
    body = _written(event)
    return {
        "event": event["id"],
        "type": event["type"],
        "body": body.decode(),
        "signature": signature(body, secret, int(time.time())),
    }


def _written(event: Obj) -> bytes:
    """Spaced out, as Stripe does it: whoever verifies anything but the raw body is found out."""
    return json.dumps(public(event), indent=2).encode()


def signature(body: bytes, secret: str, at: int) -> str:
    """The ``Stripe-Signature`` header of a body (https://docs.stripe.com/webhooks#verify-manually)."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"
