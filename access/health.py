"""Whether this process can serve: for load balancers and `docker healthcheck`. Open to all, says nothing else."""

from typing import Final

import psycopg
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from access.problems import problem_http
from kernel.errors import Unavailable

TIMEOUT_SECONDS: Final = 2


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 while the database answers a fresh connection within two seconds, else 503."""
    try:
        _ask_database()
    except psycopg.Error:
        return problem_http(Unavailable("The database does not answer"))
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 once the schema is the one this code expects, else 503."""
    alive = healthz(request)
    if alive.status_code != 200:
        return alive
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return problem_http(Unavailable("The database does not answer"))
    if pending:
        return problem_http(Unavailable(f"{len(pending)} migrations are not applied"))
    return JsonResponse({"status": "ready"})


def _ask_database() -> None:
    """A connection of its own: the question is whether one can be had, and a pooled one may hang."""
    parameters = connection.get_connection_params() | {
        "connect_timeout": TIMEOUT_SECONDS,
        "options": f"-c statement_timeout={TIMEOUT_SECONDS * 1000}",
    }
    with psycopg.connect(**parameters) as fresh:
        fresh.execute("SELECT 1")
