"""Published traces of real LLM traffic, read row by row: when a call came and how many tokens it used, no text.

Formats are told apart by their header line:

- Azure, ``TIMESTAMP,ContextTokens,GeneratedTokens``: one hour of 2023-11-16, seven decimals and no zone (UTC).
  https://github.com/Azure/AzurePublicDataset (CC-BY-4.0); Patel et al., "Splitwise", ISCA'24.
- Mooncake, ``timestamp_ms,input_tokens,cached_input_tokens,output_tokens``: milliseconds since a start that was not
  published. https://github.com/kvcache-ai/Mooncake (Apache-2.0); Qin et al., "Mooncake", FAST'25.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from kernel.usage import InconsistentUsage, Usage, check

if TYPE_CHECKING:
    from _csv import Reader

UNDATED_START: Final = datetime(2025, 2, 25, tzinfo=UTC)
"""Where a trace without dates starts, so that two replays of it agree: the day FAST'25 opened."""


class TraceUnreadable(Exception):
    """Not a trace, or a row of it that cannot be what was measured; names the line."""

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        super().__init__(f"{path.name}: {reason}" if line is None else f"{path.name}, line {line}: {reason}")
        self.line = line


class TraceRow(msgspec.Struct, frozen=True):
    """One call of a trace. `number` counts rows from 1; `at` is the trace's own clock, in UTC."""

    number: int
    at: datetime
    usage: Usage


def read_trace(path: Path) -> Iterator[TraceRow]:
    """The rows of a trace file, read as they are asked for. Raises TraceUnreadable."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from _rows(path, csv.reader(file, strict=True))
    except OSError as error:
        raise TraceUnreadable(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise TraceUnreadable(path, "is not a text file") from None


def _rows(path: Path, lines: "Reader") -> Iterator[TraceRow]:
    number = 0
    try:
        header = tuple(next(lines, ()))
        read = _FORMATS.get(header)
        if read is None:
            known = " or ".join(",".join(names) for names in _FORMATS)
            raise TraceUnreadable(path, f"the first line must be {known}")
        for values in lines:
            if not values:
                continue
            if len(values) != len(header):
                raise _BadValue(f"has {len(values)} values where {len(header)} belong")
            number += 1
            at, usage = read(values)
            check(usage)
            yield TraceRow(number, at, usage)
    except (_BadValue, InconsistentUsage, csv.Error) as error:
        raise TraceUnreadable(path, str(error), lines.line_num) from None


class _BadValue(ValueError):
    """A value that is not a number or a time, or a row that is too short or too long."""


def _azure(values: Sequence[str]) -> tuple[datetime, Usage]:
    time, context, generated = values
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        raise _BadValue(f"{time!r} is not a time such as 2023-11-16 18:15:46.6805900") from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at, Usage(input_tokens=_count("ContextTokens", context), output_tokens=_count("GeneratedTokens", generated))


def _mooncake(values: Sequence[str]) -> tuple[datetime, Usage]:
    milliseconds, total, cached, output = values
    return UNDATED_START + timedelta(milliseconds=_count("timestamp_ms", milliseconds)), Usage(
        input_tokens=_count("input_tokens", total),
        cache_read_tokens=_count("cached_input_tokens", cached),
        output_tokens=_count("output_tokens", output),
    )


_FORMATS: Final[dict[tuple[str, ...], Callable[[Sequence[str]], tuple[datetime, Usage]]]] = {
    ("TIMESTAMP", "ContextTokens", "GeneratedTokens"): _azure,
    ("timestamp_ms", "input_tokens", "cached_input_tokens", "output_tokens"): _mooncake,
}


def _count(name: str, text: str) -> int:
    # int() alone would take "1_000", " 7" and other scripts' digits.
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _BadValue(f"{name} must be a whole number, and is {text!r}")
    return int(text)
