"""The plan a customer is on, and the others they may go to. Stripe collects; what changes mean is billing's matter."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from moneyed import Money

from billing.models import StripePrice, StripeSubscription
from billing.stripe.client import is_configured
from billing.subscriptions.changing import cancel, change_plan, go_on
from billing.subscriptions.mirror import live
from billing.subscriptions.starting import Wanted, start_checkout
from entitlements.models import Customer, Subscription
from kernel.errors import InvalidInput, Problem
from plans.models import PlanVersion
from plans.queries.on_sale import versions_on_sale
from portal.links import public_url
from portal.pages.guard import portal_page
from portal.pages.request import Told, Visit
from portal.pages.typed import sentence
from portal.words import credits_text, money_text

_DONE: Final[Mapping[str, Told]] = {
    "subscribe": Told("gain", "Thank you. The plan begins as soon as the payment has arrived, usually within seconds."),
    "change": Told("gain", "The change is made."),
    "cancel": Told("plain", "The subscription ends with the period that is paid for."),
    "keep": Told("gain", "The subscription goes on."),
    "left": Told("plain", "Nothing was changed."),
}

_OFTEN: Final = {"never": "once", "day": "a day", "week": "a week", "month": "a month", "year": "a year"}


class Offer(NamedTuple):
    """A plan as it is shown. `does` is what choosing it would do: "", subscribe or change; `how`: what that means."""

    key: str
    name: str
    about: str
    price: str
    per: str
    included: str
    overage: str
    present: bool
    does: str
    how: str


class Position(NamedTuple):
    """What the customer is on, at Stripe or otherwise."""

    version: PlanVersion | None
    at_stripe: StripeSubscription | None

    @property
    def is_arranged_elsewhere(self) -> bool:
        """Paid for, but not by Stripe: a contract, which a click must not end."""
        return self.at_stripe is None and self.version is not None and bool(self.version.price.amount)


def _plan(visit: Visit) -> HttpResponse:
    if visit.request.method != "POST":
        return _page(visit, told=_DONE.get(visit.request.GET.get("done", "")))
    asked = visit.request.POST.get("do", "")
    if asked not in _ACTIONS:
        return _page(visit, told=Told("caution", "The form was incomplete. Please try again."), status=422)
    try:
        url = _ACTIONS[asked](visit)
    except Problem as refusal:
        told = Told("loss", f"{refusal.title}. {sentence(refusal.detail)}")
        return _page(visit, told=told, status=refusal.status)
    return HttpResponseRedirect(url or f"{reverse('portal:plan')}?done={asked}", status=303)


def _subscribe(visit: Visit) -> str:
    """On to Stripe's page, where the subscription is paid."""
    if _position(visit.customer).is_arranged_elsewhere:
        raise InvalidInput("this plan is arranged elsewhere; please ask the people who run the product")
    try:
        key = UUID(visit.request.POST.get("key", ""))
    except ValueError:
        raise InvalidInput("the form was incomplete; please choose again") from None
    back = reverse("portal:plan")
    wanted = Wanted(
        key=f"portal:{key}",
        plan_version=_chosen(visit),
        success_url=public_url(f"{back}?done=subscribe", visit.request),
        cancel_url=public_url(f"{back}?done=left", visit.request),
    )
    return start_checkout(visit.customer.key, wanted, visit.now)[0].url


def _change(visit: Visit) -> str:
    change_plan(visit.customer.key, _chosen(visit), "auto", visit.now)
    return ""


def _cancel(visit: Visit) -> str:
    cancel(visit.customer.key, "period_end", visit.now)
    return ""


def _keep(visit: Visit) -> str:
    go_on(visit.customer.key, visit.now)
    return ""


_ACTIONS: Final[Mapping[str, Callable[[Visit], str]]] = {
    "subscribe": _subscribe,
    "change": _change,
    "cancel": _cancel,
    "keep": _keep,
}
"""What a form of the page does; returns where to go on, "" for this page."""


def _chosen(visit: Visit) -> PlanVersion:
    """The version on sale of the plan that was chosen. Raises InvalidInput."""
    key = visit.request.POST.get("plan", "")
    version = versions_on_sale().filter(plan__key=key, pk__in=_sold()).first()
    if version is None:
        raise InvalidInput("this plan is not on sale here", field="plan")
    return version


def _sold() -> Any:
    """The versions that Stripe can collect for."""
    return StripePrice.objects.exclude(price_id=None).values("plan_version")


def _position(customer: Customer) -> Position:
    own = Subscription.objects.filter(customer=customer, ended_at=None).select_related("plan_version__plan").first()
    return Position(own.plan_version if own else None, live(customer))


def _page(visit: Visit, *, told: Told | None = None, status: int = 200) -> HttpResponse:
    position = _position(visit.customer)
    found = versions_on_sale().filter(pk__in=_sold(), price_currency=visit.customer.currency)
    may_choose = is_configured() and not position.is_arranged_elsewhere
    at_stripe = position.at_stripe
    context = {
        "title": "Plan",
        "told": told,
        "version": position.version,
        "terms": _offer(position.version, position, may_choose=False) if position.version else None,
        "at_stripe": at_stripe,
        "ends_at": _ends_at(at_stripe),
        "elsewhere": position.is_arranged_elsewhere,
        "offers": [_offer(each, position, may_choose=may_choose) for each in found.order_by("price", "plan__key")],
        "key": uuid4(),
    }
    return visit.page("plan.html", context, status=status)


def _ends_at(at_stripe: StripeSubscription | None) -> datetime | None:
    """When a cancelled subscription ends."""
    if at_stripe is None:
        return None
    return at_stripe.cancel_at or (at_stripe.period_end if at_stripe.cancel_at_period_end else None)


def _offer(version: PlanVersion, position: Position, *, may_choose: bool) -> Offer:
    present = position.version is not None and position.version.plan_id == version.plan_id
    does, how = "", ""
    if may_choose and not present:
        does = "change" if position.at_stripe else "subscribe"
        how = _how(version, position.version) if position.at_stripe else "You pay on Stripe’s page; it begins at once."
    price: Any = version.price
    overage: Any = version.overage_price
    included = version.included_microcredits
    return Offer(
        version.plan.key,
        version.plan.name,
        version.plan.description,
        money_text(price) if price.amount else "Free",
        f"a {version.interval}" if price.amount else "",
        f"{credits_text(included)} credits {_OFTEN[version.allowance_renewal]}" if included else "",
        f"overage {money_text(Money(overage.amount * 1000, overage.currency))} per 1,000 credits" if overage else "",
        present,
        does,
        how,
    )


def _how(version: PlanVersion, present: PlanVersion | None) -> str:
    """What a change does, by the same rule as `change_plan`'s "auto"."""
    if present is not None and version.interval == present.interval and version.price < present.price:
        return "It begins with the next period; until then nothing changes."
    return "It begins at once. What is left of the present period is credited, and the difference charged to your card."


plan = portal_page(_plan, methods=("GET", "HEAD", "POST"))
