"""From bytes to validated facts. Every refusal names the field at fault; one bad item spoils no other."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from entitlements.core.check import HoldWanted, Question
from entitlements.core.record import InnerCall, UsageFact
from entitlements.core.runs import Budget
from entitlements.core.settle import LeaseWanted
from entitlements.gate.messages import (
    MAX_EVENTS,
    MAX_TAGS,
    CheckRequest,
    Estimate,
    LeaseExtension,
    LeaseRequest,
    RunBudget,
    RunRequest,
    SettleRequest,
    UsageItem,
)
from kernel.clock import EARLIEST, FUTURE_SKEW, BadInstant, parse_instant
from kernel.errors import InvalidInput, MalformedBody, Problem
from kernel.ids import body_digest, key_digest
from kernel.units import InexactAmount, Microcredits, NanoUsd, parse_credits, parse_usd
from kernel.usage import Usage
from metering import readers

T = TypeVar("T")
Item = tuple[str, UsageFact] | Problem
"""A customer's key with what happened, or why the item was refused."""

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)


class TimeOutOfRange(InvalidInput):
    code = "time_out_of_range"
    title = "The event's time cannot be right"


class UsageUnreadable(InvalidInput):
    code = "usage_unreadable"
    title = "The usage body could not be read"


class _Form(Generic[T]):
    """One kind of body: from bytes to its struct, in one step."""

    def __init__(self, type_: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(type_)

    def read(self, body: bytes | msgspec.Raw) -> T:
        """The body. Raises MalformedBody, InvalidInput."""
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            _must_be_json(body)
            raise _invalid(error) from None
        except RecursionError:
            raise MalformedBody("the JSON is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedBody(str(error)) from None


def _must_be_json(body: bytes | msgspec.Raw) -> None:
    """A wrong type is noticed before the rest is read, which may not be JSON at all. Raises MalformedBody."""
    try:
        msgspec.json.decode(body)
    except RecursionError:
        raise MalformedBody("the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(str(error)) from None


_CHECK = _Form(CheckRequest)
_SETTLEMENT = _Form(SettleRequest)
_LEASE = _Form(LeaseRequest)
_EXTENSION = _Form(LeaseExtension)
_RUN = _Form(RunRequest)
_USAGE = _Form(UsageItem)
_MEMBERS = _Form(dict[str, msgspec.Raw])
_LIST = _Form(list[msgspec.Raw])


def read_check(body: bytes) -> tuple[str, Question]:
    """The customer's key and the question. Raises MalformedBody, InvalidInput."""
    request = _CHECK.read(body)
    wanted = request.hold
    return request.customer, Question(
        feature=request.feature,
        model=request.model,
        user_key=request.user,
        run_key=request.run,
        estimate=_estimate(request.estimate),
        hold=None
        if wanted is None
        else HoldWanted(wanted.key, key_digest(wanted.key), body_digest(request), wanted.ttl_seconds),
    )


def read_settlement(body: bytes, hold_id: UUID, now: datetime) -> tuple[UsageFact, bool]:
    """What a held call used, and whether that was all. The hold's own key stands in for a missing one."""
    return _settled(_SETTLEMENT.read(body), hold_id, now)


def read_lease_settlement(body: bytes, hold_id: UUID, now: datetime) -> list[UsageFact | Problem]:
    """The actions a lease paid for. Raises MalformedBody, InvalidInput for the whole body."""
    items: list[UsageFact | Problem] = []
    for item in _listed(body):
        try:
            request = _SETTLEMENT.read(item)
            if request.key is None:
                raise InvalidInput("each action of a lease needs its own key", field="key")
            items.append(_settled(request, hold_id, now)[0])
        except Problem as problem:
            items.append(problem)
    return items


def read_lease(body: bytes) -> tuple[str, LeaseWanted]:
    """The customer's key and the lease to acquire."""
    request = _LEASE.read(body)
    return request.customer, LeaseWanted(
        request.key,
        key_digest(request.key),
        body_digest(request),
        request.feature,
        _some_credits(request.credits),
        request.ttl_seconds,
    )


def read_extension(body: bytes) -> tuple[Microcredits, int | None]:
    """More microcredits and seconds for a lease."""
    request = _EXTENSION.read(body)
    if request.credits is None and request.ttl_seconds is None:
        raise InvalidInput("give credits, ttl_seconds or both", field="credits")
    return Microcredits(0) if request.credits is None else _some_credits(request.credits), request.ttl_seconds


class RunWanted(msgspec.Struct, frozen=True):
    """A run to open."""

    customer: str
    key: str
    body_digest: UUID
    parent: str
    user_key: str
    budget: Budget


def read_run(body: bytes, now: datetime) -> RunWanted:
    """The run to open."""
    request = _RUN.read(body)
    budget = request.budget or RunBudget()
    return RunWanted(
        request.customer,
        request.key,
        body_digest(request),
        request.parent,
        request.user,
        Budget(
            max_steps=budget.steps,
            max_microcredits=None if budget.credits is None else _credits(budget.credits, "budget.credits"),
            max_cost_nanousd=None if budget.cost_usd is None else _usd(budget.cost_usd, "budget.cost_usd"),
            max_depth=budget.depth,
            deadline=None if budget.seconds is None else now + timedelta(seconds=budget.seconds),
        ),
    )


def read_usage(body: bytes, now: datetime) -> tuple[list[Item], bool]:
    """The items, and whether the caller sent a single one. Raises MalformedBody, InvalidInput for the whole body."""
    if b'"events"' not in body and not _is_list(body):
        return [_item(body, now)], True
    if not _is_list(body) and "events" not in _MEMBERS.read(body):
        return [_item(body, now)], True
    return [_item(item, now) for item in _listed(body)], False


def _is_list(body: bytes) -> bool:
    return body.lstrip()[:1] == b"["


def _listed(body: bytes) -> list[msgspec.Raw]:
    """The items of a batch, each still to be read: a list, or an object with `events`."""
    whole: bytes | msgspec.Raw = body
    if not _is_list(body):
        members = _MEMBERS.read(body)
        unknown = next((name for name in members if name != "events"), None)
        if unknown is not None:
            raise InvalidInput(f"unknown field {unknown!r}", field=unknown)
        whole = members.get("events", msgspec.Raw(b"null"))
        if bytes(whole).lstrip()[:1] != b"[":
            raise InvalidInput('send one event, or {"events": [...]}', field="events")
    items = _LIST.read(whole)
    if not 1 <= len(items) <= MAX_EVENTS:
        raise InvalidInput(f"a batch holds 1 to {MAX_EVENTS} events, this one has {len(items)}", field="events")
    return items


def _item(body: bytes | msgspec.Raw, now: datetime) -> Item:
    try:
        item = _USAGE.read(body)
        return item.customer, _fact(item, body_digest(item), now)
    except MalformedBody:
        raise
    except Problem as problem:
        return problem


def _settled(request: SettleRequest, hold_id: UUID, now: datetime) -> tuple[UsageFact, bool]:
    if request.usage is None and request.credits is None:
        raise InvalidInput("settle with usage, or with credits", field="usage")
    if request.key is None and not request.final:
        raise InvalidInput("a part of a settlement needs its own key", field="key")
    fields = msgspec.structs.asdict(request)
    final = fields.pop("final")
    # Customer and feature are the hold's to say; the settlement only carries what the call used.
    item = UsageItem(**fields | {"key": request.key or f"hold:{hold_id}", "customer": "-", "feature": "-"})
    return msgspec.structs.replace(_fact(item, body_digest(request), now), feature=""), final


def _fact(item: UsageItem, digest: UUID, now: datetime) -> UsageFact:
    reading = _reading(item)
    usage = reading.usage if reading else Usage()
    return UsageFact(
        key=item.key,
        key_digest=key_digest(item.key),
        body_digest=digest,
        feature=item.feature,
        action=item.action,
        user_key=item.user,
        run_key=item.run,
        tags=_tags(item.tags),
        # The response names the model that answered; the request's name is only what was asked for.
        provider=item.provider or _said(reading, "provider"),
        model=_said(reading, "model") or item.model,
        processing=item.processing or _said(reading, "processing"),
        region=item.region or _said(reading, "region"),
        memoised=item.memoised,
        usage=usage,
        inner=tuple(_inner(inner, item) for inner in reading.inner) if reading else (),
        stated_microcredits=None if item.credits is None else _credits(item.credits, "credits"),
        reported_cost_nanousd=_reported_cost(item, reading),
        occurred_at=now if item.occurred_at is None else _occurred_at(item.occurred_at, now),
    )


_PLAIN = re.compile(r"[^\x00-\x1f\x7f]{0,255}")


def _said(reading: readers.Reading | None, name: str) -> str:
    """A word the provider's body says, held to what our own fields allow: it is stored as they are."""
    text: str = (getattr(reading, name) if reading else None) or ""
    if text and not _PLAIN.fullmatch(text):
        raise UsageUnreadable(
            f"its {name} is longer than 255 characters or holds control characters", field=f"usage.{name}"
        )
    return text


def _inner(reading: readers.Reading, item: UsageItem) -> InnerCall:
    return InnerCall(_said(reading, "model"), _said(reading, "provider") or item.provider, reading.usage)


def _reading(item: UsageItem) -> readers.Reading | None:
    if item.usage is None:
        return None
    try:
        return readers.read(item.usage, item.format or None)
    except readers.UnreadableUsage as error:
        raise UsageUnreadable(error.reason, field=f"usage.{error.field}" if error.field else "usage") from None


def _reported_cost(item: UsageItem, reading: readers.Reading | None) -> int | None:
    if item.reported_cost_usd is None:
        return reading.reported_cost_nanousd if reading else None
    return _usd(item.reported_cost_usd, "reported_cost_usd")


def _tags(tags: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not tags:
        return None
    if len(tags) > MAX_TAGS:
        raise InvalidInput(f"an event has at most {MAX_TAGS} tags", field="tags")
    for name, value in tags.items():
        if isinstance(value, str) and ("\x00" in value or len(value) > 1000):
            raise InvalidInput("a tag holds at most 1,000 characters, none of them NUL", field=f"tags.{name}")
    return dict(tags)


def _occurred_at(text: str, now: datetime) -> datetime:
    try:
        instant = parse_instant(text)
    except BadInstant as error:
        raise InvalidInput(str(error), field="occurred_at") from None
    if instant > now + FUTURE_SKEW:
        raise TimeOutOfRange(f"{text} lies in the future", field="occurred_at")
    if instant < EARLIEST:
        raise TimeOutOfRange(f"{text} is before {EARLIEST.year}", field="occurred_at")
    return instant


def _estimate(estimate: Estimate | None) -> int | Usage | None:
    if estimate is None:
        return None
    tokens = estimate.input_tokens, estimate.max_output_tokens
    if estimate.credits is not None:
        if tokens != (None, None):
            raise InvalidInput("estimate by credits or by tokens, not both", field="estimate")
        return _credits(estimate.credits, "estimate.credits")
    if tokens == (None, None):
        return None
    return Usage(input_tokens=tokens[0] or 0, output_tokens=tokens[1] or 0)


def _credits(text: str, field: str) -> Microcredits:
    try:
        amount = parse_credits(text)
    except InexactAmount as error:
        raise InvalidInput(str(error), field=field) from None
    if amount < 0:
        raise InvalidInput("credits cannot be negative here", field=field)
    return amount


def _some_credits(text: str) -> Microcredits:
    amount = _credits(text, "credits")
    if not amount:
        raise InvalidInput("lease more than 0 credits", field="credits")
    return amount


def _usd(text: str, field: str) -> NanoUsd:
    try:
        amount = parse_usd(text)
    except InexactAmount as error:
        raise InvalidInput(str(error), field=field) from None
    if amount < 0:
        raise InvalidInput("a cost cannot be negative", field=field)
    return amount


def _invalid(error: msgspec.ValidationError) -> InvalidInput:
    match = _PLACE.match(str(error))
    what, path = (match["what"], match["path"]) if match else (str(error), None)
    if "matching regex" in what:
        what = "Control characters are not accepted here"
    return InvalidInput(what, field=(path or "").lstrip(".") or _named(what))


def _named(what: str) -> str | None:
    """The field a message about the whole object is about: a missing or an unknown one."""
    match = re.search(r"field `([^`]+)`", what)
    return match[1] if match else None
