"""The few Linux calls the launcher needs and the standard library of Python 3.11 does not have."""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

# linux/prctl.h, linux/sched.h, linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _prctl(option: int, *values: int) -> None:
    arguments = (*values, 0, 0, 0, 0)[:4]
    _check(_libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(value) for value in arguments)))


def die_with_parent(parent: int, sign: signal.Signals) -> None:
    """Have the kernel send `sign` to this process when its parent, process `parent`, dies of anything.

    Call it last before exec: a change of user clears it. A parent that is gone already counts as a death.
    """
    _prctl(_PR_SET_PDEATHSIG, sign)
    if os.getppid() != parent:
        os.kill(os.getpid(), sign)


def adopt_orphans() -> None:
    """Make this process the one that inherits, and can reap, descendants whose own parent ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def enter_user_namespace(uid: int, gid: int) -> None:
    """Be `uid`:`gid` from here on by this process's own reckoning, while the machine still sees who it was.

    Files it owns stay its own, so nothing has to be handed over. The process must have one thread.
    Raises OSError where the kernel or a sandbox forbids user namespaces.
    """
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(ctypes.c_int(_CLONE_NEWUSER)))
    Path("/proc/self/uid_map").write_text(f"{uid} {outside_uid} 1\n")
    with contextlib.suppress(FileNotFoundError):
        Path("/proc/self/setgroups").write_text("deny\n")
    Path("/proc/self/gid_map").write_text(f"{gid} {outside_gid} 1\n")


def become_user(uid: int, gid: int) -> None:
    """Give up root for `uid`:`gid`, keeping over exec only the right to pass through folders closed to others.

    That right (CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE where a container grants only this) lets the server reach
    binaries and data below a root-only folder without anyone's permissions being changed. It is kept where possible.
    """
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        with contextlib.suppress(OSError):
            _set_only_capability(capability)
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
            return


def _set_only_capability(capability: int) -> None:
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    _check(_libc.capset(header, effective_permitted_inheritable))
