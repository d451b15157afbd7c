"""The demo's API key and staff login, where `make run` and `manage.py replay` find them; nobody else may read them."""

import os
from pathlib import Path

import msgspec

FILE = "demo-credentials.json"


class Credentials(msgspec.Struct, frozen=True):
    """Ways into the demo company. Secrets of a database on one's own machine, holding invented data."""

    api_key: str
    staff_user: str
    staff_password: str


def read_credentials(folder: Path) -> Credentials | None:
    """What was written into the folder; None where nothing was, or nothing we can read."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Credentials)
    except (OSError, msgspec.DecodeError):
        return None


def write_credentials(folder: Path, credentials: Credentials) -> None:
    """Write them whole or not at all; nobody else may read them at any moment."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{FILE}.{os.getpid()}"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(credentials)) + b"\n")
    unfinished.replace(folder / FILE)
