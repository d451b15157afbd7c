"""What callers were told: a line for every answer, written the moment it came."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


class Told(msgspec.Struct, kw_only=True, omit_defaults=True, tag=True):
    """One call and its final answer; `status` 0: there never was one, and nobody knows whether it was done."""

    kind: str
    customer: str
    key: str = ""
    path: str = ""
    body: Any = None
    status: int
    answer: Any = None
    tries: int = 1
    sent_at: float
    answered_at: float


class Trouble(msgspec.Struct, tag=True):
    """An answer nobody should ever get."""

    path: str
    status: int
    answer: Any


class Journal:
    """A file of them, each written at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def tell(self, entry: Told | Trouble) -> None:
        self._file.write(_encoder.encode(entry) + b"\n")


def read(path: Path) -> Iterator[Told | Trouble]:
    """What was written in a journal."""
    with path.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line, type=Told | Trouble)
