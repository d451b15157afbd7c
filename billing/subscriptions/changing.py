"""Changing and ending a subscription at Stripe. What it now is there is written here before the call returns."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

from billing.convergence.locks import one_at_a_time
from billing.models import StripePrice, StripeSubscription
from billing.prices.applying import price_of
from billing.stripe import subscriptions
from billing.stripe.errors import Gone, Invalid, PaymentsUnavailable, StripeUnavailable
from billing.subscriptions.mirror import converge_subscription, live, mirror
from billing.subscriptions.problems import IntervalChangesNow, NotSubscribedAtStripe, PlanCurrency
from entitlements.core.standing import PaymentOverdue
from entitlements.models import Customer
from entitlements.services.problems import CustomerUnknown
from entitlements.services.subscriptions import PlanNotPublished
from kernel.errors import Conflict
from kernel.ids import new_id
from plans.models import PlanVersion

When = Literal["auto", "now", "period_end"]


class ChangeRefused(Conflict):
    code = "change_refused"
    title = "Stripe refuses this change of the subscription"


def change_plan(customer_key: str, version: PlanVersion, when: When, now: datetime) -> StripeSubscription:
    """Put the customer on another plan: now, with the rest of the period prorated by Stripe, or from the next on.

    `auto` is now for a plan that costs as much or more or has another interval, and in a trial; else the period's end.
    An upgrade that cannot be paid now changes nothing yet: Stripe applies it when its invoice is paid, within a day.
    The plan the customer is on already undoes a change that waits. Asking again changes nothing more.
    Raises CustomerUnknown, NotSubscribedAtStripe, PlanNotPublished, PlanNotAtStripe, PlanCurrency, IntervalChangesNow,
    PaymentOverdue, ChangeRefused, PaymentsUnavailable.
    """
    with _changing(customer_key, now) as row:
        wanted = _price(row, version)
        if row.plan_version_id == version.pk and row.pending_version_id is None:
            return row
        present = _present(row)
        if present is not None and present.pk == version.pk:
            return _apply(row, wanted, "none", now)  # back to what is paid for: nothing to prorate
        if row.overdue_since is not None:
            raise PaymentOverdue(f"{row.customer.key} has to pay what is open before the plan can change")
        same_interval = present is None or present.interval == version.interval
        if when == "auto":
            cheaper = present is not None and version.price < present.price
            when = "period_end" if cheaper and same_interval and row.status != "trialing" else "now"
        if when == "now":
            if row.pending_version_id is not None and present is not None:
                # Stripe prorates from the price it has: first back to the one that was paid.
                _apply(row, price_of(present), "none", now)
            return _apply(row, wanted, "always_invoice", now)
        if not same_interval:
            raise IntervalChangesNow(
                f"{version} is billed every {version.interval}: Stripe starts its period at once", field="when"
            )
        # Noted first: Stripe shows the new price from now on, and the customer keeps the old plan until then.
        row.pending_version, row.pending_at = version, row.period_end
        row.save(update_fields=["pending_version", "pending_at"])
        return _apply(row, wanted, "none", now)


def cancel(customer_key: str, when: Literal["now", "period_end"], now: datetime) -> StripeSubscription:
    """End the subscription: with the period that is paid for, or now. Bought credits stay; overage falls due.

    Raises CustomerUnknown, NotSubscribedAtStripe, PaymentsUnavailable.
    """
    with _changing(customer_key, now) as row:
        if when == "now":
            return _written(subscriptions.end_now(row.pk), now)
        return row if row.cancel_at_period_end else _written(subscriptions.end_with_period(row.pk, ends=True), now)


def go_on(customer_key: str, now: datetime) -> StripeSubscription:
    """Take a cancellation at the period's end back. Raises as `cancel`."""
    with _changing(customer_key, now) as row:
        return _written(subscriptions.end_with_period(row.pk, ends=False), now) if row.cancel_at else row


@contextmanager
def _changing(customer_key: str, now: datetime) -> Iterator[StripeSubscription]:
    """The customer's subscription as it is at Stripe now, with nobody else at it."""
    customer = Customer.objects.filter(key=customer_key).first()
    if customer is None:
        raise CustomerUnknown(f"no customer has the key {customer_key!r}")
    found = live(customer)
    if found is None:
        raise NotSubscribedAtStripe(f"{customer_key!r} has no subscription at Stripe")
    with one_at_a_time(found.pk):
        try:
            converge_subscription(found.pk, now)
            row = live(customer)
            if row is None or row.pk != found.pk:
                raise NotSubscribedAtStripe(f"{customer_key!r} has no subscription at Stripe any more")
            yield row
        except StripeUnavailable as error:
            raise PaymentsUnavailable(str(error)) from error
        except (Invalid, Gone) as error:
            raise ChangeRefused(str(error)) from error


def _price(row: StripeSubscription, version: PlanVersion) -> StripePrice:
    if version.status != PlanVersion.Status.PUBLISHED and version.pk != row.plan_version_id:
        present = _present(row)
        if present is None or present.pk != version.pk:
            raise PlanNotPublished(f"{version} is not published", field="plan")
    if str(version.price.currency) != row.customer.currency:
        raise PlanCurrency(f"{version} is sold in {version.price.currency}", field="plan")
    return price_of(version)


def _present(row: StripeSubscription) -> PlanVersion | None:
    """What the customer is on and has paid for."""
    if row.pending_version_id is not None and row.subscription is not None:
        return row.subscription.plan_version
    return row.plan_version


def _apply(
    row: StripeSubscription, price: StripePrice, prorates: subscriptions.Proration, now: datetime
) -> StripeSubscription:
    # A key of its own for each call: there and back within a day are different changes, and one repeated does nothing.
    key = f"change:{new_id()}"
    return _written(
        subscriptions.change_price(row.pk, row.item_id, str(price.price_id), prorates=prorates, key=key), now
    )


def _written(seen: subscriptions.SubscriptionSeen, now: datetime) -> StripeSubscription:
    row = mirror(seen, now)
    assert row is not None, "it was ours a moment ago"
    return row
