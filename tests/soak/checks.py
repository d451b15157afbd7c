"""After the end: is everything there that anybody was told, with the figures they were told, and nothing else?"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from kernel.ids import parse_public_id
from kernel.units import parse_credits, parse_usd
from tests.soak.journal import Told

Finding = str


def missing_or_different(told: Iterable[Told]) -> Iterator[Finding]:
    """What an answer said that the database does not. Needs Django."""
    look = _Look()
    said: set[tuple[str, str]] = set()
    for one in told:
        said |= _keys_of(one)
        check = look.by_kind.get(one.kind)
        if check is not None and 200 <= one.status < 300:
            yield from (f"{one.kind} {one.customer} {one.key}: {what}" for what in check(one))
    yield from (f"usage {key} is there, and nobody reported it" for key in look.events.keys() - said)
    yield from (f"hold {key} is there, and nobody asked for it" for key in look.hold_keys.keys() - said)
    for kind, keys in (("usage", look.event_keys), ("hold", look.hold_keys)):
        yield from (f"{kind} {key} is there {times} times" for key, times in keys.items() if times > 1)


class _Look:
    """Looks in the database for what answers said. (That a hold is as it was told, it tells itself: replays.py.)"""

    def __init__(self) -> None:
        from entitlements.models import CreditGrant, Hold, Run
        from metering.models import UsageEvent

        amounts = ("charged_microcredits", "cost_nanousd")
        stored = list(_with_customer(UsageEvent.objects.values_list("customer_id", "key", *amounts)))
        self.events = {(customer, key): (charged, cost) for customer, key, charged, cost in stored}
        self.event_keys = Counter((customer, key) for customer, key, *_ in stored)
        self.holds = {(hold.customer_id, hold.id): hold for hold in Hold.objects.all()}
        self.hold_keys = Counter(_with_customer(Hold.objects.values_list("customer_id", "key")))
        self.runs = {(run.customer_id, run.id): run for run in Run.objects.all()}
        self.grants = {grant.id: grant for grant in CreditGrant.objects.all()}
        self.by_kind: dict[str, Callable[[Told], Iterator[Finding]]] = {
            "usage": self.usage,
            "usages": self.usages,
            "hold": self.hold,
            "settle": self.settle,
            "lease": self.lease,
            "lease_settle": self.usages,
            "void": self.void,
            "run": self.run,
            "close_run": self.run,
            "grant": self.grant,
            "void_grant": self.void_grant,
        }

    def usage(self, told: Told) -> Iterator[Finding]:
        yield from self._event(told.customer, told.answer)

    def usages(self, told: Told) -> Iterator[Finding]:
        """Each of many; those of a lease belong to its customer."""
        for sent, result in zip(told.body["events"], told.answer["results"], strict=True):
            if result["status"] == "rejected":
                if result["error"]["code"] != "key_reused":
                    yield f"rejected: {result['error']}"
            else:
                yield from self._event(sent.get("customer", told.customer), result)

    def _event(self, customer: str, result: dict[str, Any]) -> Iterator[Finding]:
        stored = self.events.get((customer, result["key"]))
        if stored is None:
            yield f"{result['key']} was acknowledged and is not there"
            return
        credits, cost = result.get("credits"), result.get("cost_usd")
        said = (None if credits is None else parse_credits(credits), None if cost is None else parse_usd(cost))
        if said != stored:
            yield f"{result['key']} was acknowledged as {said} and is stored as {stored}"

    def hold(self, told: Told) -> Iterator[Finding]:
        if told.answer["hold"] is None:
            if (told.customer, told.key) in self.hold_keys:
                yield "was denied, and is there"
            return
        if _id("hold", told.answer["hold"]["id"]) not in self.holds:
            yield "was acknowledged and is not there"

    def settle(self, told: Told) -> Iterator[Finding]:
        yield from self._event(told.customer, told.answer)
        hold = self.holds.get(_id("hold", told.path.split("/")[3]))
        if hold is None or (told.body.get("final", True) and hold.closed_at is None):
            yield "was settled, and is open"

    def lease(self, told: Told) -> Iterator[Finding]:
        if _id("hold", told.answer["hold"]["id"]) not in self.holds:
            yield "was acknowledged and is not there"

    def void(self, told: Told) -> Iterator[Finding]:
        hold = self.holds.get(_id("hold", told.path.split("/")[3]))
        if hold is None or hold.get_status_display() != told.answer["status"]:
            yield f"was {told.answer['status']}, and is {hold and hold.get_status_display()}"

    def run(self, told: Told) -> Iterator[Finding]:
        run = self.runs.get(_id("run", told.answer["id"]))
        if run is None:
            yield "was opened and is not there"
        elif told.kind == "close_run" and (run.closed_at is None or run.held_microcredits or run.held_steps):
            yield "was closed, and is open or holds something"

    def grant(self, told: Told) -> Iterator[Finding]:
        grant = self.grants.get(UUID(told.answer["id"]))
        if grant is None or grant.amount_microcredits != told.answer["microcredits"]:
            yield f"was given {told.answer}, and is {grant and grant.amount_microcredits}"

    def void_grant(self, told: Told) -> Iterator[Finding]:
        grant = self.grants[UUID(told.key)]
        if grant.voided_at is None and grant.closed_at is None:
            yield "was voided, and is open"


def audited() -> Iterator[Finding]:
    """What the audit finds: as it was left, and again with everything that is due written."""
    from entitlements.audit import audit
    from entitlements.audit.rebuilding import rebuild_stored
    from entitlements.models import Customer
    from entitlements.services.accounts import opened_one
    from kernel.clock import utc_now

    for moment in ("as it was left", "brought up to date"):
        for outcome in audit():
            named = f"audit, {moment}: {outcome.check.name}"
            yield from (f"{named}: {fault.customer}: {fault.what}" for fault in outcome.faults)
        for customer in Customer.objects.all():
            _, parted = rebuild_stored(customer.pk)
            yield from (f"rebuilt, {moment}: {customer.key}: {what}" for what in parted)
            with opened_one(customer.key, now=utc_now()):
                pass


def _keys_of(told: Told) -> set[tuple[str, str]]:
    """The usage keys of a call: its own, its items', or the one a settlement without a key goes by."""
    if told.kind in ("usages", "lease_settle"):
        return {(item.get("customer", told.customer), item["key"]) for item in told.body["events"]}
    if told.kind == "settle" and not told.key:
        named = _id("hold", told.path.split("/")[3])
        return {(told.customer, f"hold:{named[1]}")}
    return {(told.customer, told.key)}


def _id(kind: str, text: str) -> tuple[int, UUID]:
    named = parse_public_id(kind, text)
    assert named is not None, text
    return named


def _with_customer(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows that begin with a customer's id, with its key instead."""
    from entitlements.models import Customer

    keys = dict(Customer.objects.values_list("pk", "key"))
    # A customer that is not there is one to be found, too.
    return ((keys.get(customer, f"#{customer}"), *rest) for customer, *rest in rows)
