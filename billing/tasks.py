"""What the queue wakes. Each task looks for what is due; none is told any facts, and any may run twice or late."""

from typing import Any, Final

import structlog
from celery import current_app, shared_task

from billing.convergence.inbox import process_due_events
from billing.convergence.sweep import sweep
from billing.outgoing.delivering import deliver_due
from billing.outgoing.dispatching import dispatch_waiting
from billing.overage.accruing import accrue
from billing.overage.invoicing import invoice_all
from billing.prices.applying import offer_in_sandbox
from billing.services.auto_top_ups import place_due_orders
from billing.services.charging import charge_due_orders
from billing.stripe.client import is_configured
from billing.subscriptions.due import follow_due
from kernel.clock import utc_now

log = structlog.get_logger("weir.queue")

_OUR_APP: Final = "weir"


@shared_task
def process_events() -> None:
    """Converge the objects that events came for."""
    if is_configured():
        process_due_events(utc_now())


@shared_task
def top_up() -> None:
    """Order for low balances, and carry on the orders that are due."""
    if is_configured():
        now = utc_now()
        place_due_orders(now)
        charge_due_orders(now)


@shared_task
def keep_subscriptions() -> None:
    """Look again at subscriptions whose period, plan or life was to end by now; in a sandbox, sell what is new."""
    if is_configured():
        now = utc_now()
        offer_in_sandbox(now)
        follow_due(now)


@shared_task
def collect_overage() -> None:
    """Bill overage that is due, and put it on invoices."""
    now = utc_now()
    accrue(now)
    if is_configured():
        invoice_all(now)


@shared_task
def reconcile() -> None:
    """Look for what no webhook told us."""
    if is_configured():
        for finding in sweep(utc_now(), repair=True):
            log.info("swept", what=finding.what, repaired=finding.repaired)


@shared_task
def send_webhooks() -> None:
    """Dispatch what is in the outbox and try what is due: one round, and another soon if there was anything."""
    dispatch_waiting(utc_now())
    if deliver_due(utc_now()):
        wake(send_webhooks)


def wake(task: Any) -> None:
    """Ask for a task to run soon. It is only a hint: beat finds what is due also where nobody was woken."""
    if current_app.main != _OUR_APP:
        return  # a command or a test, which has set up no queue
    try:
        task.apply_async(retry=False)
    except Exception as error:
        log.warning("queue_unreachable", task=task.name, exc_info=error)
