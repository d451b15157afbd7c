"""A lone caller without HTTP: `python -m bench.direct` runs a Job's calls one by one as batches of one.

What the same call takes over HTTP beyond this is the price of the front.
"""

import os
import time
from collections import Counter

import uvloop

from bench import jobs
from bench.jobs import Job, Result
from bench.requests import body_of
from config import embedded_postgres


async def _run(job: Job, dsn: str) -> Result:
    from entitlements.gate.calls import CheckCall
    from entitlements.gate.engine import Engine
    from entitlements.gate.reading import read_check
    from entitlements.store.reference import Reference
    from kernel.clock import utc_now

    def everyone(_: Reference) -> None:
        """Authentication belongs to the front."""

    engine = Engine(dsn)
    took: list[float] = []
    wrong: Counter[str] = Counter()
    calls = 0
    began = time.perf_counter()
    counts_from = began + job.warm_up_seconds
    ends = counts_from + job.seconds
    while (started := time.perf_counter()) < ends:
        customer, question = read_check(body_of(job.kind, job.tag, calls, calls % job.customers))
        checked = await engine.writes.submit(CheckCall(everyone, utc_now(), customer, question))
        calls += 1
        if checked.decided.answer.decision != "allow":
            wrong[checked.decided.answer.reason] += 1
        if started >= counts_from:
            took.append(time.perf_counter() - started)
    await engine.close()
    return jobs.summary(took, len(took) / job.seconds, calls - wrong.total(), wrong)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    dsn = embedded_postgres.database_url()
    import django

    django.setup()
    jobs.write_result(uvloop.run(_run(jobs.read_job(), dsn)))


if __name__ == "__main__":
    main()
