"""Replayed calls as the database's COPY writes them, and reading as much of one as is needed. Pure.

Handing a row over as a tuple of Python values costs six microseconds, most of them for columns nobody looks at
(ADR 14); cutting a line at five tabs costs one.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from kernel.usage import Usage

NULL: Final = rb"\N"
TAB: Final = b"\t"
COLUMNS: Final = 5
"""How often to cut a line: customer, kind, instant, charge, cost, and the rest in one."""

_NONE_LEFT: Final = NULL + b"\n"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class KindKey(NamedTuple):
    """What calls of one kind share. `stated`: the caller named the charge; `told`: the provider reported the cost."""

    feature_id: int
    plan_version_id: int
    model: str
    reported_model: str
    provider: str
    processing: str
    region: str
    memoised: bool
    stated: bool
    told: bool
    cost_card: str


class Rest(NamedTuple):
    """The columns that few calls are asked for."""

    user_key: str
    run_key: str
    input_tokens: int
    output_tokens: int
    usage: Usage


def kind_of(text: bytes) -> KindKey:
    """The kind, from its column."""
    feature, plan, model, reported, provider, processing, region, *flags, card = _text(text).split("\x1f")
    memoised, stated, told = (flag == "1" for flag in flags)
    return KindKey(int(feature), int(plan), model, reported, provider, processing, region, memoised, stated, told, card)


def usage_of(rest: bytes) -> Usage:
    """The counts of a call."""
    # Column by column, in the order of COLUMN_FIELDS: a dictionary and a loop would take half as long again.
    _, _, input_, read, write_5m, write_1h, output, reasoning, other = rest.split(TAB)
    usage = Usage(
        input_tokens=int(input_),
        cache_read_tokens=int(read),
        cache_write_5m_tokens=int(write_5m),
        cache_write_1h_tokens=int(write_1h),
        output_tokens=int(output),
        reasoning_tokens=int(reasoning),
    )
    return usage if other == _NONE_LEFT else msgspec.structs.replace(usage, **msgspec.json.decode(_text(other)))


def rest_of(rest: bytes) -> Rest:
    """Everything else there is to a call."""
    user, run, *_ = rest.split(TAB, 2)
    usage = usage_of(rest)
    return Rest(_text(user), _text(run), usage.input_tokens, usage.output_tokens, usage)


def amount(text: bytes) -> int | None:
    """A charge or a cost; None where there is none."""
    return None if text == NULL else int(text)


def instant(microseconds: int) -> datetime:
    """When, from microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    """An instant in microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _text(column: bytes) -> str:
    """A text column of COPY: what would break a line is written with a backslash."""
    text = column.rstrip(b"\n").decode()
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), text) if "\\" in text else text
