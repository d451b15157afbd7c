"""What a customer should know before anything else: what stopped, what soon will, and the way out."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from django.urls import reverse
from django.utils import timezone

from billing.models import AutoTopUp, StripeSubscription, TopUpOrder
from portal.queries.grants import NAMES
from portal.queries.position import Position
from portal.words import amount_text, credits_text, day_text, money_text, named, overage_money, span_text


class Notice(NamedTuple):
    """`tone` is loss (something stopped), caution (something will) or plain."""

    tone: Literal["loss", "caution", "plain"]
    text: str
    action: str = ""
    url: str = ""


def notices_of(position: Position) -> list[Notice]:
    """The worst first."""
    found = [
        *_payments(position),
        *_balance(position),
        *_overage(position),
        *_limits(position),
        *_expiring(position),
        *_subscription(position),
    ]
    return sorted(found, key=lambda notice: ("loss", "caution", "plain").index(notice.tone))


def _payments(position: Position) -> Iterator[Notice]:
    """What has to be paid or confirmed, and an auto top-up that does not do its work."""
    customer = position.customer
    overdue = position.account.overdue_since
    if overdue is not None:
        text = f"A payment has been overdue since {day_text(timezone.localtime(overdue))}."
        yield Notice("loss", text, "To the invoices", reverse("portal:invoices"))
    asked = TopUpOrder.objects.filter(customer=customer, state=TopUpOrder.State.NEEDS_ACTION).first()
    if asked is not None:
        text = f"Your bank asks you to confirm a payment of {money_text(asked.amount)}."
        yield Notice("loss", text, "Confirm it", asked.url)
    standing = AutoTopUp.objects.filter(customer=customer, enabled=True).exclude(paused_reason="").first()
    if standing is not None and asked is None:
        yield Notice("caution", "Auto top-up rests and buys nothing.", "Look into it", reverse("portal:settings"))


def _subscription(position: Position) -> Iterator[Notice]:
    """What is going to change about the plan."""
    kept = StripeSubscription.objects.filter(customer=position.customer, ended_at=None, surplus=False)
    subscription = kept.select_related("pending_version__plan").first()
    if subscription is None:
        return
    if subscription.cancel_at_period_end or subscription.cancel_at is not None:
        ends_at = subscription.cancel_at or subscription.period_end
        yield Notice("caution", f"The subscription ends on {day_text(timezone.localtime(ends_at))}.")
    elif subscription.pending_version is not None and subscription.pending_at is not None:
        on, plan = day_text(timezone.localtime(subscription.pending_at)), subscription.pending_version.plan.name
        yield Notice("plain", f"The plan changes to {plan} on {on}.")


def _balance(position: Position) -> Iterator[Notice]:
    account = position.account
    buy = reverse("portal:buy")
    if account.debt:
        text = f"{credits_text(account.debt)} credits were used beyond the balance. New credits pay them first."
        yield Notice("loss", text, "Buy credits", buy)
    elif account.available <= 0 and not position.may_run_over:
        text = "There are no credits left, so calls that cost credits are refused."
        yield Notice("loss", text, "Buy credits", buy)
    else:
        out_at = position.runs_out_at
        renewal = account.allowance_end
        if out_at is not None and out_at > position.now and (renewal is not None and out_at < renewal):
            span = span_text(out_at - position.now)
            renews = day_text(timezone.localtime(renewal))
            text = f"At the current burn the credits last {span}. The allowance renews on {renews}."
            yield Notice("caution", text, "Buy credits", buy)


def _overage(position: Position) -> Iterator[Notice]:
    account, plan = position.account, position.plan
    if plan is None or not account.overage:
        return
    worth = f" ({overage_money(account.overage, plan)})" if plan.overage_price else ""
    yield Notice(
        "plain",
        f"{credits_text(account.overage)} credits of overage{worth} this period, invoiced when it ends "
        "unless new credits pay them before.",
        "Buy credits",
        reverse("portal:buy"),
    )


def _limits(position: Position) -> Iterator[Notice]:
    for standing in position.standings():
        limit = standing.limit
        if standing.used is None or limit.scope == "run" or (standing.left and not standing.reached_percent):
            continue
        whose = f" for {standing.user}" if standing.user else ""
        used, most = amount_text(standing.taken, limit.unit), amount_text(limit.value, limit.unit)
        state = "is reached" if not standing.left else "is near"
        resets = ""
        if standing.resets_at is not None:
            at = timezone.localtime(standing.resets_at)
            resets = f" It starts anew on {day_text(at)} at {at:%H:%M}."
        tone: Literal["loss", "caution"] = "loss" if not standing.left and limit.kind == "hard" else "caution"
        yield Notice(tone, f"The limit “{named(limit.key)}”{whose} {state}: {used} of {most} {limit.unit}.{resets}")


def _expiring(position: Position) -> Iterator[Notice]:
    for grant in position.expiring:
        if grant.expires_at is not None:
            on = day_text(timezone.localtime(grant.expires_at))
            name = NAMES.get(grant.source, grant.source).lower()
            yield Notice("caution", f"{credits_text(grant.remaining)} credits ({name}) expire on {on}.")
