"""Opening and closing the runs of the company's agents, as the gate does."""

from collections.abc import Sequence
from datetime import datetime

from demo.agents import DEEPEST, AgentRun
from entitlements.core import runs
from entitlements.core.runs import Budget
from entitlements.services.accounts import opened
from entitlements.store.accounts import Wanted
from kernel.ids import body_digest

_BUDGET = Budget(max_depth=DEEPEST - 1)


class Runs:
    """The runs of a past, opened and closed as it is lived."""

    def __init__(self, runs: Sequence[AgentRun]) -> None:
        self._opening = sorted(runs, key=lambda run: (run.opened_at, run.key), reverse=True)
        self._closing = sorted(
            (run for run in runs if not run.parent), key=lambda run: (run.closed_at, run.key), reverse=True
        )

    def open(self, now: datetime) -> None:
        """Open those whose first call is before `now`, each at its time, the ones around first."""
        due = []
        while self._opening and self._opening[-1].opened_at < now:
            due.append(self._opening.pop())
        wanted = Wanted()
        for run in due:
            wanted[run.customer].scope("", run.key)
            wanted[run.customer].scope("", run.parent)
        if not due:
            return
        with opened(wanted, now=now) as these:
            for run in due:
                runs.open_run(
                    these.accounts[run.customer],
                    key=run.key,
                    body_digest=body_digest([run.key, run.parent, run.user]),
                    budget=_BUDGET,
                    parent=run.parent,
                    user_key=run.user,
                    now=run.opened_at,
                )

    def close(self, now: datetime) -> None:
        """Close the outermost ones of which everything has been told, with all inside them."""
        due = []
        while self._closing and self._closing[-1].closed_at < now:
            due.append(self._closing.pop())
        if not due:
            return
        wanted = Wanted()
        for run in due:
            wanted[run.customer].whole = True
        with opened(wanted, now=now) as these:
            for run in due:
                account = these.accounts[run.customer]
                runs.close(account, runs.find(account, run.key), run.closed_at)
