"""How many real calls a second a simulation replays: `python -m bench.simulation [CUSTOMERS EVENTS_EACH]`.

CPU seconds of this one process, reading the calls included: what the database spends is its own. The wall clock beside
it says what waiting for the database adds.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bench import database
from kernel.sql_files import ROOT, sql_file

DATABASE: Final = "weir_bench_simulation"
CUSTOMERS: Final = 300
EVENTS: Final = 1_000


def scenarios() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is measured, with the scenario's own terms."""
    from plans.models import PlanVersion, RateCardVersion

    card, plan = RateCardVersion.objects.latest("id"), PlanVersion.objects.latest("id")
    yield "as it was", {"limits": "observe"}
    yield "limits enforced", {"limits": "enforce"}
    yield "charged anew by a rate card", {"limits": "observe", "rate_card_version_id": card.pk}
    yield "sold another plan", {"limits": "observe", "plan_version_id": _draft(plan.pk)}
    yield "sent to another model", {"limits": "observe", "moves": _moves()}


def measure() -> dict[str, dict[str, float]]:
    """Every scenario once, after a first one that warms the caches: calls a CPU second, and a second."""
    from bench.margin_population import month
    from kernel.clock import utc_now
    from margins.services.simulations import ask, run
    from margins.simulation.scenario import Scenario

    start, end = month()
    starts_on, ends_on = start.date(), end.date()
    _give_rates()
    found: dict[str, dict[str, float]] = {}
    for name, terms in [("warm-up", {"limits": "observe"}), *scenarios()]:
        asked = ask(Scenario(starts_on=starts_on, ends_on=ends_on, **terms), name=name, author="bench", now=utc_now())
        cpu, wall = time.process_time(), time.perf_counter()
        done = run(asked.pk, utc_now)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if done is None or done.state != done.State.DONE:
            raise RuntimeError(f"{name}: {done.problem if done else 'not run'}")
        found[name] = {
            "calls": done.done_calls,
            "calls_per_cpu_second": round(done.done_calls / cpu),
            "calls_per_second": round(done.done_calls / wall),
        }
        asked.delete()
    found.pop("warm-up")
    return found


def _give_rates() -> None:
    from django.db import connection

    from metering.models import UsageEvent

    if UsageEvent.objects.filter(rate_id=None).exists():
        with connection.cursor() as cursor:
            for statement in sql_file("bench", "simulation_rates").split(";"):
                if statement.strip():
                    cursor.execute(statement)


def _draft(version_id: int) -> int:
    """A draft of the plan like the version on sale, at another price: made once."""
    from plans.models import PlanEntitlement, PlanVersion

    version = PlanVersion.objects.get(pk=version_id)
    known = PlanVersion.objects.filter(plan=version.plan, status="draft").first()
    if known is not None:
        return int(known.pk)
    rights = list(version.entitlements.all())
    version.pk, version.number, version.status, version.published_at = None, version.number + 1, "draft", None
    version.save(force_insert=True)
    for right in rights:
        PlanEntitlement.objects.create(
            plan_version=version, feature=right.feature, max_tier=right.max_tier, at_limit=right.at_limit
        )
    return int(version.pk)


def _moves() -> tuple[Any, ...]:
    from margins.simulation.scenario import ModelMove
    from plans.models import AIModel

    first, second = AIModel.objects.order_by("id").values_list("key", flat=True)[:2]
    return (ModelMove(source=second, target=first), ModelMove(source=first, target=second))


def main(arguments: Sequence[str]) -> int:
    """Make the database, then measure in a process that has no other."""
    if arguments[:1] == ["--inside"]:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        for name, value in measure().items():
            print(f"{name}: " + ", ".join(f"{what} {number:,}" for what, number in value.items()))
        return 0
    customers, events = map(int, arguments or (CUSTOMERS, EVENTS))
    print(f"preparing {customers * events:,} events of {customers:,} customers ...", flush=True)
    url = database.kept(DATABASE, "bench.margin_population", (customers, events), fresh=False)
    return subprocess.run(
        [sys.executable, "-m", "bench.simulation", "--inside"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "WARNING"},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
