"""What falls due at a subscription without an event, and what the sweep looks at again."""

from datetime import datetime

import structlog
from django.db.models import Q, QuerySet

from billing.convergence.locks import one_at_a_time
from billing.models import StripeSubscription, SubscriptionOrder
from billing.stripe.errors import StripeError
from billing.subscriptions.mirror import converge_subscription
from billing.subscriptions.starting import converge_session

log = structlog.get_logger("weir.stripe")


def follow_due(now: datetime) -> int:
    """Look again at subscriptions whose plan, period or life was to end by now. Returns how many were looked at."""
    due = Q(pending_at__lte=now) | Q(cancel_at__lte=now) | Q(period_end__lte=now)
    return _look_at(StripeSubscription.objects.filter(due, ended_at=None), now)


def look_again(now: datetime) -> int:
    """Look at every subscription that has not ended and every checkout that is open, whatever events came of them."""
    looked = _look_at(StripeSubscription.objects.filter(ended_at=None), now)
    for session_id in (
        SubscriptionOrder.objects.filter(state=SubscriptionOrder.State.OPEN)
        .exclude(checkout_session_id=None)
        .values_list("checkout_session_id", flat=True)
    ):
        looked += _tried(session_id, now)
    return looked


def _look_at(rows: "QuerySet[StripeSubscription]", now: datetime) -> int:
    looked = 0
    for subscription_id in rows.order_by("pk").values_list("pk", flat=True):
        try:
            with one_at_a_time(subscription_id):
                converge_subscription(subscription_id, now)
        except StripeError as error:
            log.warning("subscription_not_followed", subscription=subscription_id, exc_info=error)
        else:
            looked += 1
    return looked


def _tried(session_id: str | None, now: datetime) -> int:
    try:
        converge_session(str(session_id), now)
    except StripeError as error:
        log.warning("checkout_not_followed", session=session_id, exc_info=error)
        return 0
    return 1
