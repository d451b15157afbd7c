"""Why the embedded server cannot start, told so that the reader knows what to do."""

import re

# What PostgreSQL or the system says → what the reader can do about it. The first match is shown.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|Disk quota exceeded",
        "The disk is full: free some space, or set DATA_DIR to a folder on another disk.",
    ),
    (
        r"could not bind|Address already in use",
        "Another program took its port in this moment: try again, and a free one is picked.",
    ),
    (
        r"Read-only file system",
        "The folder cannot be written: set DATA_DIR to one that can.",
    ),
    (
        r"[Pp]ermission denied|Operation not permitted",
        "A folder or file is closed to this user: set DATA_DIR to one of your own, or run as the user who made it.",
    ),
    (
        r"Cannot allocate memory|could not map anonymous shared memory",
        "There is not enough memory for the server (it asks for about 300 MB).",
    ),
    (
        r"checkpoint record|control file|checksum|PANIC|not a database cluster|could not open|bogus data|invalid page",
        "The data looks damaged: restore a backup, or move the folder away to begin with an empty database.",
    ),
)


class PostgresCannotStart(Exception):
    """The embedded PostgreSQL cannot serve; the message says why, what to do, and ends with the log's last lines."""

    def __init__(self, reason: str, *, log: str = "") -> None:
        remedy = next((advice for pattern, advice in _REMEDIES if re.search(pattern, f"{reason}\n{log}")), "")
        if remedy in reason:  # the keeper's whole message, relayed by the process that started it
            remedy = ""
        parts = [reason, remedy, f"Last lines of the log:\n{log}" if log else ""]
        super().__init__("\n".join(part for part in parts if part))
