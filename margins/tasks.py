"""What the worker does for margins. The rows are the truth; a task may run twice or late and changes nothing by it."""

from celery import shared_task

from kernel.clock import utc_now
from margins.guard.figures import refresh_due
from margins.services.revenue import add_revenue
from margins.services.simulations import run_waiting


@shared_task
def add_up_revenue() -> None:
    """Keep the revenue rollups near the ledgers."""
    add_revenue()


@shared_task
def refresh_margin_figures() -> None:
    """Keep the projected margins of guarded customers fresh for the gate."""
    refresh_due(utc_now())


@shared_task
def answer_simulations() -> None:
    """Replay what somebody asked "what if" of. A question that another worker is at is left to it."""
    run_waiting(utc_now)
