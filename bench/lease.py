"""Spending a lease in the SDK's process: `python -m bench.lease` runs a Job's spends, telling the service meanwhile."""

import sys
import time
from collections import Counter

from bench import jobs
from bench.jobs import Job, Result
from bench.requests import CUSTOMER
from kernel.sql_files import ROOT

sys.path.insert(0, str(ROOT / "sdk" / "python"))

from weir_sdk import Weir


def _run(job: Job) -> Result:
    took: list[float] = []
    wrong: Counter[str] = Counter()
    with Weir(f"http://127.0.0.1:{job.port}", api_key=job.token) as weir:
        customer = (CUSTOMER % 0).decode()
        with weir.lease(customer, "chat", key=f"lease-of.{job.tag}", credits="1000000", ttl_seconds=3600) as lease:
            spends = 0
            began = time.perf_counter()
            counts_from = began + job.warm_up_seconds
            ends = counts_from + job.seconds
            while (started := time.perf_counter()) < ends:
                if not lease.spend("0.001", key=f"{job.tag}.{spends}"):
                    wrong["not there"] += 1
                spends += 1
                if started >= counts_from:
                    took.append(time.perf_counter() - started)
    return jobs.summary(took, len(took) / job.seconds, spends - wrong.total(), wrong)


if __name__ == "__main__":
    jobs.write_result(_run(jobs.read_job()))
