"""As whom the server runs. PostgreSQL refuses to be root, and initdb wants a user with a name.

1. An ordinary user with a name: as that user.
2. Root, or a user id without a name (usual in containers): the same user under another number, in a user namespace. To
   the machine the processes and their files stay the caller's own, so it works below folders closed to others.
3. Where namespaces are forbidden, or the programs belong to somebody else's closed folder, root becomes nobody.

A cluster that exists is always served as its owner.
"""

import os
import pwd
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.embedded_postgres import linux
from config.embedded_postgres.errors import PostgresCannotStart
from config.embedded_postgres.folder import Folder


@dataclass(frozen=True)
class Identity:
    """A user to run the server's programs as; `uid` and `gid` are what its files have on disk."""

    description: str
    uid: int
    gid: int
    change: Callable[[], None]

    def entering(self) -> Callable[[], None]:
        """What to run between fork and exec: become the user, and never outlive this process."""
        keeper = os.getpid()

        def enter() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            self.change()
            linux.die_with_parent(keeper, signal.SIGINT)

        return enter

    def own(self, path: Path) -> None:
        """Hand over a file or folder that the launcher itself has made."""
        if path.lstat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose_identity(folder: Folder, program: Path) -> Identity:
    """The identity that can run `program` on the folder's cluster. Raises PostgresCannotStart."""
    me = os.geteuid()
    owner = folder.cluster.stat().st_uid if folder.cluster.exists() else None
    if me != 0:
        if owner not in (None, me):
            raise PostgresCannotStart(
                f"{folder.cluster} belongs to {_name(owner)}, and this is {_name(me)}: "
                "Permission denied by PostgreSQL's own rule."
            )
        plain = Identity(f"{_name(me)}", me, os.getegid(), lambda: None)
        return plain if _has_name(me) else _namespaced(folder, program) or plain
    if owner:
        return _user(owner)
    return _namespaced(folder, program) or _user(_nobody())


def _namespaced(folder: Folder, program: Path) -> Identity | None:
    alias = next((entry for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    if alias is None:
        return None
    identity = Identity(
        f"{_name(os.geteuid())}, called {alias.pw_name} in a user namespace",
        os.geteuid(),
        os.getegid(),
        lambda: linux.enter_user_namespace(alias.pw_uid, alias.pw_gid),
    )
    return identity if _can_use(identity, folder, program) else None


def _can_use(identity: Identity, folder: Folder, program: Path) -> bool:
    """Whether the change of user is allowed here and still reaches the programs and the folder; tried in a child."""
    child = os.fork()
    if child == 0:
        try:
            identity.change()
            reached = os.access(program, os.X_OK) and os.access(folder.root, os.W_OK | os.X_OK)
            os._exit(0 if reached else 1)
        except BaseException:  # noqa: BLE001 - the child must not return into its parent's code
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _user(uid: int) -> Identity:
    try:
        gid = pwd.getpwuid(uid).pw_gid
    except KeyError:
        gid = uid
    return Identity(_name(uid), uid, gid, lambda: linux.become_user(uid, gid))


def _nobody() -> int:
    """The id of nobody; 65534 by convention where the list of users lacks it."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return 65534


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int | None) -> str:
    return pwd.getpwuid(uid).pw_name if uid is not None and _has_name(uid) else f"user {uid}"
