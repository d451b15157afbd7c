"""What falls due at a subscription without an event."""

from datetime import datetime

import structlog
from django.db.models import Q

from billing.convergence.locks import one_at_a_time
from billing.models import StripeSubscription
from billing.stripe.errors import StripeError
from billing.subscriptions.mirror import converge_subscription

log = structlog.get_logger("weir.stripe")


def follow_due(now: datetime) -> int:
    """Look again at subscriptions whose plan, period or life was to end by now. Returns how many were looked at."""
    due = Q(pending_at__lte=now) | Q(cancel_at__lte=now) | Q(period_end__lte=now)
    # A paused one has no next period: its events, or the sweep, tell when it goes on.
    rows = StripeSubscription.objects.filter(due, ended_at=None).exclude(status="paused")
    looked = 0
    for subscription_id in rows.values_list("pk", flat=True):
        try:
            with one_at_a_time(subscription_id):
                converge_subscription(subscription_id, now)
        except StripeError as error:
            log.warning("subscription_not_followed", subscription=subscription_id, exc_info=error)
        else:
            looked += 1
    return looked
