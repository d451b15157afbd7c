"""The processes the service is made of: `python -m config.roles web | worker | beat | migrate | sandbox`.

`make run` starts them together (config/run.py); a container is one of them. HOST, PORT, WEB_WORKERS and
WORKER_CONCURRENCY in the environment are honoured.
"""

import os
import sys

from config import embedded_postgres, stripe_sandbox

ROLES = ("web", "worker", "beat", "migrate", "sandbox")

# Root is what a bare container often is; the warning is about pickled messages, and ours are JSON.
_CELERY = ["-W", "ignore:You're running the worker with superuser", "-m", "celery", "-q", "-A", "config.celery"]


def command(role: str) -> list[str]:
    """The command line of a role, to be run in the house's folder."""
    match role:
        case "web":
            arguments = ["-m", "config.web"]
        case "worker":
            size = ["--pool", "threads", "--concurrency", os.environ.get("WORKER_CONCURRENCY", "2")]
            alone = ["--without-mingle", "--without-gossip", "--without-heartbeat"]  # workers need not know each other
            arguments = [*_CELERY, "worker", "--loglevel", "WARNING", *size, *alone]
        case "beat":
            schedule = embedded_postgres.data_dir() / "celerybeat-schedule"
            arguments = [*_CELERY, "beat", "--loglevel", "WARNING", "--pidfile=", "--schedule", str(schedule)]
        case "migrate":
            arguments = ["-m", "config.prepare"]
        case "sandbox":
            arguments = stripe_sandbox.arguments(embedded_postgres.data_dir(), os.environ.get("PORT") or "8000")
        case _:
            raise ValueError(f"no such role: {role}")
    return [sys.executable, *arguments]


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ROLES:
        sys.exit(__doc__)
    program = command(sys.argv[1])
    embedded_postgres.data_dir().mkdir(parents=True, exist_ok=True)
    os.execv(program[0], program)
