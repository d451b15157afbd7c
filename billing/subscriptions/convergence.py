"""Who cares when something happens to a subscription, or to a checkout of one."""

from datetime import datetime

from billing.convergence.registry import converges
from billing.subscriptions.mirror import converge_subscription
from billing.subscriptions.starting import converge_session


@converges("subscription")
def subscription_changed(subscription_id: str, now: datetime) -> None:
    """A subscription began, renewed, changed, fell behind with its payment, or ended."""
    converge_subscription(subscription_id, now)


@converges("checkout.session")
def checkout_changed(session_id: str, now: datetime) -> None:
    """A page was paid on, or closed."""
    converge_session(session_id, now)
