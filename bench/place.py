"""A database with its customers and a service on it, and everything that can be measured there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from bench import audit, baselines, database, jobs, service
from bench.audit import Told
from bench.jobs import Job, Kind, Result
from bench.service import Service

HOT = 1
"""Customers a hot call chooses from."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much to measure: seconds per measurement, rows per COPY, connections that ingest."""

    seconds: float
    warm_up_seconds: float
    copied_rows: int
    ingesting: int = 4


class Place:
    """Where calls are measured. `run` is in every key, so that what one run wrote can be told from all else."""

    def __init__(self, url: str, token: str, served: Service, *, customers: int, run: str, size: Size) -> None:
        self.url, self.token, self.served = url, token, served
        self.customers, self.run, self.size = customers, run, size
        self.told: dict[str, Told] = {}
        """What callers were told, by measure: what the database must contain."""
        self._holds: dict[str, list[str]] = {}

    def calls(self, measure: str, round_: int, kind: Kind, *, callers: int, **parts: int) -> Result:
        """Calls over HTTP."""
        job = self._job(measure, round_, kind, callers=callers, **parts)
        before = self.served.cpu_seconds()
        result = jobs.run("bench.load", job, self.url)
        if result.right:
            result.server_us = round(1e6 * (self.served.cpu_seconds() - before) / result.right, 1)
        if kind == "hold":
            self._holds[measure] = result.holds
            result.holds = []
        if kind != "check":
            self._acknowledge(measure, result, job.batch)
        return result

    def settle(self, measure: str, round_: int, placed_by: str, *, callers: int) -> Result:
        """Settle every hold another measure of this round has placed."""
        job = self._job(measure, round_, "settle", callers=callers)
        result = jobs.run("bench.load", msgspec.structs.replace(job, holds=self._holds.pop(placed_by)), self.url)
        self._acknowledge(measure, result)
        return result

    def direct(self, measure: str, round_: int) -> Result:
        """A lone caller's holds, without HTTP."""
        result = jobs.run("bench.direct", self._job(measure, round_, "hold", callers=1), self.url)
        self._acknowledge(measure, result)
        return result

    def lease(self, measure: str, round_: int) -> Result:
        """Spends of a lease in the SDK's process, told to the service by the hundred."""
        result = jobs.run("bench.lease", self._job(measure, round_, "usage", callers=1), self.url)
        self._acknowledge(measure, result)
        return result

    def pgbench(self, script: str) -> Result:
        """A baseline."""
        return baselines.pgbench(self.url, script, customers=self.customers, seconds=self.size.seconds)

    def copy(self, batch: int) -> Result:
        """A baseline."""
        return baselines.copy(self.url, batch=batch, rows=self.size.copied_rows)

    def audit(self) -> list[str]:
        """What is wrong in the database after all that, in words; nothing if all is well."""
        return audit.findings(self.url, self.run, self.told)

    def _acknowledge(self, measure: str, result: Result, batch: int = 1) -> None:
        told = self.told.setdefault(measure, Told())
        told.done += result.right
        told.unknown += batch * sum(result.wrong.values())

    def _job(self, measure: str, round_: int, kind: Kind, *, callers: int, **parts: int) -> Job:
        return Job(
            kind=kind,
            tag=f"{measure}.{self.run}.{round_}",
            token=self.token,
            port=self.served.port,
            connections=callers,
            customers=parts.get("customers", self.customers),
            batch=parts.get("batch", 1),
            seconds=self.size.seconds,
            warm_up_seconds=self.size.warm_up_seconds,
        )


@contextmanager
def opened(name: str, customers: int, *, run: str, size: Size, fresh: bool) -> Iterator[Place]:
    """A place of its own, served until the block ends."""
    url, token = database.prepare(name, customers, fresh=fresh)
    with service.running(url) as served:
        yield Place(url, token, served, customers=customers, run=run, size=size)


Measure = Callable[[int], Result]
"""Measures once, in the round of this number."""


def measures(at: Place) -> dict[str, Measure]:
    """Everything measured at the main place, by name, in an order that puts what is compared side by side."""
    found: dict[str, Measure] = {"pgbench_spread": lambda _: at.pgbench("spend_spread")}
    for callers in (64, 256):
        found[f"hold_{callers}"] = _calls(at, f"hold_{callers}", "hold", callers)
        found[f"settle_{callers}"] = _settle(at, f"settle_{callers}", f"hold_{callers}", callers)
        found[f"usage_{callers}"] = _calls(at, f"usage_{callers}", "usage", callers)
    found["pgbench_hot"] = lambda _: at.pgbench("spend_hot")
    for callers in (64, 256):
        found[f"hot_{callers}"] = _calls(at, f"hot_{callers}", "usage", callers, customers=HOT)
        found[f"hot_hold_{callers}"] = _calls(at, f"hot_hold_{callers}", "hold", callers, customers=HOT)
    found["pgbench_select"] = lambda _: at.pgbench("look")
    for callers in (64, 256):
        found[f"check_{callers}"] = _calls(at, f"check_{callers}", "check", callers)
    for batch in (100, 1_000, 10_000):
        found[f"copy_{batch}"] = _copy(at, batch)
        found[f"ingest_{batch}"] = _calls(at, f"ingest_{batch}", "ingest", at.size.ingesting, batch=batch)
    found["lone_direct"] = lambda round_: at.direct("lone_direct", round_)
    found["lease"] = lambda round_: at.lease("lease", round_)
    found["lone_http"] = _calls(at, "lone_http", "hold", 1)
    return found


def scale_measures(places: list[Place]) -> dict[str, Measure]:
    """Checks and holds at every size."""
    return {
        f"scale_{kind}_{at.customers}": _calls(at, f"scale_{kind}_{at.customers}", kind, 64)
        for kind in _SCALED
        for at in places
    }


NEEDS = {"settle_64": "hold_64", "settle_256": "hold_256"}
"""What has to be measured before, in the same round."""

_SCALED: tuple[Kind, ...] = ("check", "hold")


def _calls(at: Place, measure: str, kind: Kind, callers: int, **parts: int) -> Measure:
    return lambda round_: at.calls(measure, round_, kind, callers=callers, **parts)


def _settle(at: Place, measure: str, placed_by: str, callers: int) -> Measure:
    return lambda round_: at.settle(measure, round_, placed_by, callers=callers)


def _copy(at: Place, batch: int) -> Measure:
    return lambda _: at.copy(batch)
