"""Processes that live and end together."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from config.embedded_postgres import linux

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that mean: come to an end, in good order."""


class Ended(Exception):
    """A process that should be running, or should have succeeded, has not."""

    def __init__(self, name: str, code: int) -> None:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        super().__init__(f"{name} {how}")


class Household:
    """The children of this process. None outlives it: the kernel ends them (SIGTERM) if it is killed itself."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        linux.adopt_orphans()  # what a killed child leaves behind comes to us, to be reaped

    def start(self, name: str, command: Sequence[str], *, silent: bool = False) -> None:
        """Start a process that is to run until the end, in its own session: Ctrl-C reaches us, and we stop it.

        What a `silent` one prints is not shown; what it complains of is.
        """
        me = os.getpid()

        def enter() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            linux.die_with_parent(me, signal.SIGTERM)

        # A signal between the birth of a child and its entry in our list would leave it behind; so signals wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            self._children[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if silent else None,
                start_new_session=True,
                preexec_fn=enter,  # noqa: PLW1509 - this process has one thread
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def run(self, name: str, command: Sequence[str]) -> None:
        """Run a process to its end. Raises Ended unless it succeeds."""
        self.start(name, command)
        code = self._children[name].wait()
        del self._children[name]
        if code != 0:
            raise Ended(name, code)

    def check(self) -> None:
        """Raises Ended if a process that was started has ended."""
        for name, child in self._children.items():
            code = child.poll()
            if code is not None:
                raise Ended(name, code)

    def stop(self, *, patience_seconds: float) -> None:
        """End all children, asking first; then everything they have left behind."""
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + patience_seconds
        for child in self._children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in self._children.values():
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self._children.clear()


def reap_orphans() -> None:
    """Collect adopted processes that have ended, so that none stays as a zombie under an init that does not reap."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
