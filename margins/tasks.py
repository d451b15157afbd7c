"""What the worker does for margins. The rows are the truth; a task may run twice or late and changes nothing by it."""

from celery import shared_task

from margins.services.revenue import add_revenue


@shared_task
def add_up_revenue() -> None:
    """Keep the revenue rollups near the ledgers."""
    add_revenue()
