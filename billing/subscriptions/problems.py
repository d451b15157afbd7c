"""Refusals around subscriptions at Stripe."""

from kernel.errors import Conflict, InvalidInput, NotFound, Problem


class AlreadySubscribed(Conflict):
    code = "already_subscribed"
    title = "The customer has a subscription at Stripe: change that one"


class NotSubscribedAtStripe(NotFound):
    code = "not_subscribed_at_stripe"
    title = "The customer has no subscription at Stripe"


class NoCardOnFile(Conflict):
    code = "no_card_on_file"
    title = "The customer has no saved card to charge"


class SubscriptionNotPaid(Problem):
    status = 402
    code = "subscription_not_paid"
    title = "The saved card could not be charged, so nothing was subscribed to"


class IntervalChangesNow(Conflict):
    code = "interval_changes_now"
    title = "Another billing interval starts a new period at once"


class PlanCurrency(InvalidInput):
    code = "plan_currency"
    title = "The plan is sold in another currency than the customer pays in"
