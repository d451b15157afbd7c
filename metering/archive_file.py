"""Archived events as files: a month of gzipped JSON lines, and beside it the manifest that vouches for it.

A file counts from the moment its manifest is there, and the manifest is written last, after the file
has been read back from disk. Both appear by atomic rename, so a crash leaves a whole file or none.
"""

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from gzip import GzipFile
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from metering.events import SUMS, EventRow, contribution

_SUFFIX: Final = ".manifest.json"
_FORMAT: Final = "weir-usage-archive-1"
_COMPRESSION: Final = 6
_event = msgspec.json.Decoder(EventRow)


class ArchiveUnreadable(Exception):
    """A file that does not hold what it should; nothing may leave the database on its word."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. Sums are decimal strings in the columns' units; `removed_at` is when the last event left."""

    format: str = _FORMAT
    file: str
    month: str
    customer_id: int | None
    events: int
    sums: dict[str, str]
    sha256: str
    bytes: int
    written_at: datetime
    removed_at: datetime | None = None


def write_file(
    directory: Path, month: date, lines: Iterable[str], *, sums: tuple[int, ...], customer_id: int | None, now: datetime
) -> Manifest:
    """Write the month's `lines` to a new file, read it back, and vouch for it.

    `sums` is what the lines must add up to, by `metering.events.SUMS`. A file without a manifest is what a crash
    left: it is overwritten. Raises ArchiveUnreadable.
    """
    path = _free_name(directory, month)
    written = hashlib.sha256()
    with _replacing(path) as raw:
        # No time and no name in the header: the same events make the same bytes.
        with GzipFile("", "wb", _COMPRESSION, _Hashing(raw, written), mtime=0) as out:
            for line in lines:
                out.write(line.encode() + b"\n")
    manifest = Manifest(
        file=path.name,
        month=f"{month:%Y-%m}",
        customer_id=customer_id,
        events=sums[0],
        sums={name: str(total) for name, total in zip(SUMS, sums, strict=True)},
        sha256=written.hexdigest(),
        bytes=path.stat().st_size,
        written_at=now,
    )
    verify(directory, manifest)
    save_manifest(directory, manifest)
    return manifest


def verify(directory: Path, manifest: Manifest) -> None:
    """Read the file from disk and compare it with its manifest. Raises ArchiveUnreadable."""
    path = directory / manifest.file
    try:
        with path.open("rb") as raw:
            found = hashlib.file_digest(raw, "sha256").hexdigest()
        if found != manifest.sha256:
            raise ArchiveUnreadable(f"{path} has SHA-256 {found}, not {manifest.sha256} as its manifest says")
        totals = [0] * len(SUMS)
        for event in read_events(path):
            totals = [total + part for total, part in zip(totals, contribution(event), strict=True)]
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise ArchiveUnreadable(f"{path} cannot be read: {error}") from error
    for name, total in zip(SUMS, totals, strict=True):
        if str(total) != manifest.sums[name]:
            raise ArchiveUnreadable(f"{path}: {name} is {total}, not {manifest.sums[name]} as in the database")


def read_events(path: Path) -> Iterator[EventRow]:
    """The events of a file, one line each."""
    with GzipFile(path, "rb") as lines:
        for line in lines:
            yield _event.decode(line)


def manifests(directory: Path) -> list[Manifest]:
    """Every manifest of the directory, by name. Raises ArchiveUnreadable."""
    found = []
    for path in sorted(directory.glob("*" + _SUFFIX)):
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except msgspec.MsgspecError as error:
            raise ArchiveUnreadable(f"{path} is not a manifest: {error}") from error
        if manifest.format != _FORMAT:
            raise ArchiveUnreadable(f"{path} is of the format {manifest.format!r}, not {_FORMAT!r}")
        found.append(manifest)
    return found


def save_manifest(directory: Path, manifest: Manifest) -> None:
    """Write the manifest beside its file."""
    with _replacing(_manifest_path(directory / manifest.file)) as out:
        out.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def _free_name(directory: Path, month: date) -> Path:
    """The month's first name nobody vouches for: a month is written again when late events came into it."""
    number = 1
    while True:
        part = f".{number}" if number > 1 else ""
        path = directory / f"usage-{month:%Y-%m}{part}.jsonl.gz"
        if not _manifest_path(path).exists():
            return path
        number += 1


def _manifest_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".jsonl.gz") + _SUFFIX)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that is on disk under its name when the block ends, whole, or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Hashing:
    """A file that digests what is written to it."""

    def __init__(self, raw: BinaryIO, digest: Any) -> None:
        self._raw, self._digest = raw, digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._raw.write(data)

    def flush(self) -> None:
        self._raw.flush()
