"""Everything the pretend Stripe knows and does things with: its objects, its clock, its events."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, NamedTuple, Protocol, TypeVar

from sandbox import API_VERSION
from sandbox.errors import InvalidRequest, Missing, MissingReference, Obj, StripeError
from sandbox.ids import identifier, letters
from sandbox.money import Fees
from sandbox.render import difference, public
from sandbox.settings import Settings
from sandbox.store import Store

T = TypeVar("T")


class Courier(Protocol):
    """Who brings events to webhook endpoints: given their parcels inside the unit of work, sent off after it."""

    def address(self, events: list[Obj]) -> list["Parcel"]: ...

    def hand_over(self, parcels: list["Parcel"]) -> None: ...


class Parcel(NamedTuple):
    """An event on its way to an endpoint; `delivery` is the number of its row."""

    delivery: int
    event: str
    endpoint: str


class NoCourier:
    """Nobody is told."""

    def address(self, events: list[Obj]) -> list[Parcel]:
        return []

    def hand_over(self, parcels: list[Parcel]) -> None:
        pass


class World:
    """One sandbox. `work` runs one request's worth of changes; everything else happens inside of it."""

    def __init__(self, store: Store, *, seed: str | None = None, start: int | None = None, base_url: str = "") -> None:
        """`start` stops the clock at that instant (seconds since the epoch): then it moves only when told to."""
        self.store = store
        self.base_url = base_url
        self.fees = Fees()
        self.lock = RLock()
        self.request: Obj = {"id": None, "idempotency_key": None}
        self.courier: Courier = NoCourier()
        self._instant: int | None = None
        self._events: list[Obj] = []
        self._start = start
        if store.setting("seed") is None:
            store.remember("seed", seed if seed is not None else secrets.token_hex(8))
            self._set_clock_up()
        self.seed: str = store.setting("seed")

    def empty(self) -> None:
        """Forget everything but the seed, and set the clock back to where it began."""
        self.store.clear()
        self.store.remember("seed", self.seed)
        self._set_clock_up()

    def _set_clock_up(self) -> None:
        self.store.remember("clock", {"frozen_at": self._start, "ahead": 0})

    def work(self, what: Callable[[], T]) -> T:
        """Do this alone, keep all of it or nothing, then hand its events to the courier."""
        with self.lock:
            self._events = []
            refusal: StripeError | None = None
            with self.store.unit():
                try:
                    result = what()
                except StripeError as error:
                    if not error.keeps_changes:
                        raise
                    refusal = error
                parcels = self.courier.address(self._events)
            self.courier.hand_over(parcels)
            if refusal is not None:
                raise refusal
            return result

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What is done inside, events too, is undone at its end. Objects read before must be read again."""
        told = len(self._events)
        try:
            with self.store.rehearsal():
                yield
        finally:
            del self._events[told:]

    # Time

    def now(self, owner: Obj | None = None) -> int:
        """Seconds since the epoch, on the owner's test clock if it has one."""
        if self._instant is not None:
            return self._instant
        if owner is not None and owner.get("test_clock"):
            return int(self.get("test_helpers.test_clock", owner["test_clock"])["frozen_time"])
        clock = self.store.setting("clock")
        return int(time.time()) + clock["ahead"] if clock["frozen_at"] is None else int(clock["frozen_at"])

    def move_clock(self, to: int) -> None:
        """The sandbox's own clock only goes forward."""
        if to < self.now():
            raise InvalidRequest(f"The clock cannot go back: it is {self.now()} already, and {to} is earlier.")
        clock = self.store.setting("clock")
        if clock["frozen_at"] is None:
            self.store.remember("clock", {"frozen_at": None, "ahead": to - int(time.time())})
        else:
            self.store.remember("clock", {"frozen_at": to, "ahead": 0})

    @contextmanager
    def at(self, instant: int) -> Iterator[None]:
        """What is done inside happens at that instant, as everything due on the way of a moved clock does."""
        before, self._instant = self._instant, instant
        try:
            yield
        finally:
            self._instant = before

    # Objects

    def new(self, kind: str, owner: Obj | None = None, /, **fields: Any) -> Obj:
        """A new object of this kind; fields whose name begins with an underscore are never shown."""
        return self.adopt({"id": self.new_id(kind)} | self.basics(kind, owner) | fields)

    def basics(self, kind: str, owner: Obj | None = None) -> Obj:
        """What every object has besides its id."""
        return {"object": kind, "created": self.now(owner), "livemode": False}

    def adopt(self, obj: Obj) -> Obj:
        self.store.add(obj)
        return obj

    def new_id(self, kind: str) -> str:
        return identifier(self.seed, kind, self.store.count(kind))

    def secret(self, label: str, length: int = 24) -> str:
        """Letters nobody else is given, for client secrets and page addresses."""
        return letters(self.seed, f"secret:{label}", length)

    def get(self, kind: str, name: str, param: str = "id") -> Obj:
        """The object in the path of a request. Raises Missing."""
        found = self.store.get(name)
        if found is None or found["object"] != kind:
            raise Missing(kind.rsplit(".", 1)[-1], name, param)
        return found

    def named(self, kind: str, name: str, param: str) -> Obj:
        """The object a parameter names, which must not be deleted. Raises MissingReference."""
        found = self.store.get(name)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise MissingReference(kind.rsplit(".", 1)[-1], name, param)
        return found

    # Events

    def emit(self, name: str, obj: Obj) -> None:
        """Something happened to this object, which is shown as it is at this moment."""
        self._record(name, obj, {"object": public(obj)})

    def emit_updated(self, name: str, obj: Obj) -> None:
        """The same for a change: tells also what was there before; nothing happened if nothing changed."""
        shown = public(obj)
        previous = difference(public(self.store.before(obj)), shown)
        if previous:
            self._record(name, obj, {"object": shown, "previous_attributes": previous})

    def _record(self, name: str, obj: Obj, data: Obj) -> None:
        event = self.new(
            "event",
            obj,
            api_version=API_VERSION,
            type=name,
            data=data,
            request=dict(self.request),
            pending_webhooks=0,
        )
        self._events.append(event)

    # Settings

    @property
    def settings(self) -> Settings:
        return Settings().changed(self.store.setting("settings") or {})

    def change_settings(self, values: Obj) -> Settings:
        changed = self.settings.changed(values)
        self.store.remember("settings", changed.as_json())
        return changed
