"""What a customer decides: auto top-up, and where overage stops."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.forms import Form
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from moneyed import Money

from billing.models import AutoTopUp, StripeCustomer, TopUpOrder
from billing.services.auto_top_ups import AutoTopUpTerms, end_auto_top_up, set_auto_top_up
from billing.stripe.client import is_configured
from entitlements.services.accounts import read_account
from entitlements.services.spend_cap import set_spend_cap
from kernel.errors import Problem
from kernel.units import MICROCREDITS_PER_CREDIT, format_credits
from plans.terms import PlanTerms
from portal.pages.forms import AutoTopUpForm, SpendCapForm
from portal.pages.guard import portal_page
from portal.pages.request import Told, Visit
from portal.pages.typed import sentence
from portal.words import credits_text, money_text, overage_money

LATEST: Final = 5
"""How many of the latest auto top-ups are shown."""

_DONE: Final[Mapping[str, str]] = {
    "auto": "Auto top-up is set.",
    "off": "Auto top-up is off.",
    "cap": "The spend cap is set.",
    "uncap": "Your own spend cap is off. What the plan says stays.",
}

_RESTS: Final[Mapping[str, str]] = {
    AutoTopUp.Paused.DECLINED: "The card was declined. Check the payment method, then save these settings again.",
    AutoTopUp.Paused.NEEDS_ACTION: "Your bank wants you to confirm a payment; the link is below.",
    AutoTopUp.Paused.NO_CARD: "There is no card to charge. Add one, then save these settings again.",
    AutoTopUp.Paused.REFUSED: "The charge was refused. Check the payment method, then save these settings again.",
    AutoTopUp.Paused.DISPUTED: "A payment is disputed. Save these settings again once that is settled.",
    AutoTopUp.Paused.CUSTOMER_DELETED: "The payment details were removed. Add a card, then save these settings again.",
}
"""Why the standing order rests, and what to do about it."""


def _settings(visit: Visit) -> HttpResponse:
    if visit.request.method != "POST":
        done = _DONE.get(visit.request.GET.get("done", ""))
        return _page(visit, told=Told("gain", done) if done else None)
    asked = visit.request.POST.get("do", "")
    if asked not in _ACTIONS:
        return _page(visit, told=Told("caution", "The form was incomplete. Please try again."), status=422)
    try:
        refused = _ACTIONS[asked](visit)
    except Problem as refusal:
        told = Told("loss", f"{refusal.title}. {sentence(refusal.detail)}")
        return _page(visit, told=told, status=refusal.status)
    if refused is not None:
        return _page(visit, refused, told=Told("loss", "Not saved. Please look at the fields below."), status=422)
    return HttpResponseRedirect(f"{reverse('portal:settings')}?done={asked}", status=303)


def _set_auto(visit: Visit) -> Form | None:
    form = AutoTopUpForm(visit.customer.currency, visit.request.POST)
    if not form.is_valid():
        return form
    given = form.cleaned_data
    terms = AutoTopUpTerms(
        threshold_microcredits=given["threshold"],
        pack=given["buys"] or None,
        microcredits=None if given["buys"] else given["credits"],
        monthly_cap=given["monthly_cap"],
    )
    try:
        set_auto_top_up(visit.customer.key, terms, visit.now)
    except Problem as refusal:
        name = (refusal.field or "").partition(".")[0]
        if name not in form.fields:
            raise
        form.add_error(name, sentence(refusal.detail))
        return form
    return None


def _end_auto(visit: Visit) -> None:
    end_auto_top_up(visit.customer.key, visit.now)


def _set_cap(visit: Visit) -> Form | None:
    form = SpendCapForm(_plan(visit)[0], visit.request.POST)
    if not form.is_valid():
        return form
    set_spend_cap(visit.customer.key, form.cleaned_data["cap"], visit.now)
    return None


def _end_cap(visit: Visit) -> None:
    set_spend_cap(visit.customer.key, None, visit.now)


_ACTIONS: Final[Mapping[str, Callable[[Visit], Form | None]]] = {
    "auto": _set_auto,
    "off": _end_auto,
    "cap": _set_cap,
    "uncap": _end_cap,
}
"""What a form of the page does; returns the form where a field is not right."""


def _page(visit: Visit, form: Form | None = None, *, told: Told | None = None, status: int = 200) -> HttpResponse:
    plan, cap = _plan(visit)
    standing = AutoTopUp.objects.select_related("pack").filter(customer=visit.customer).first()
    auto = (
        form if isinstance(form, AutoTopUpForm) else AutoTopUpForm(visit.customer.currency, initial=_initial(standing))
    )
    own = form if isinstance(form, SpendCapForm) else SpendCapForm(plan, initial=_shown("cap", cap))
    orders = TopUpOrder.objects.filter(customer=visit.customer, origin=TopUpOrder.Origin.AUTO)
    card = StripeCustomer.objects.filter(customer=visit.customer).exclude(default_payment_method="").exists()
    context = {
        "title": "Auto top-up and spend cap",
        "told": told,
        "auto": auto,
        "own": own,
        "standing": standing,
        "rests": _RESTS.get(standing.paused_reason, "") if standing else "",
        "resumes_at": standing.next_try_at if standing and (standing.next_try_at or visit.now) > visit.now else None,
        "orders": list(orders[:LATEST]),
        "has_card": card,
        "may_pay": is_configured(),
        "plan": plan,
        "runs_over": plan is not None and any(right.at_limit == "overage" for right in plan.entitlements.values()),
        **_caps(plan, cap),
    }
    return visit.page("settings.html", context, status=status)


def _plan(visit: Visit) -> tuple[PlanTerms | None, int | None]:
    """The plan's terms, and the customer's own spend cap."""
    account, reference = read_account(visit.customer.key, visit.now)
    return reference.catalogue.plans.get(account.plan_version_id or 0), account.spend_cap


def _caps(plan: PlanTerms | None, cap: int | None) -> dict[str, Any]:
    """The two caps in words, with what they come to in money."""
    most = plan.spend_cap_microcredits if plan else None
    said: dict[str, Any] = {"own_cap": None if cap is None else _worth(cap, plan)}
    if most is not None:
        said["plan_cap"] = _worth(most, plan)
    if plan is not None and plan.overage_price:
        said["credit_price"] = money_text(Money(Decimal(plan.overage_price) * 1000, plan.currency))
    return said


def _worth(microcredits: int, plan: PlanTerms | None) -> str:
    credits = f"{credits_text(microcredits)} credits"
    return f"{credits}, {overage_money(microcredits, plan)}" if plan is not None and plan.overage_price else credits


def _initial(standing: AutoTopUp | None) -> dict[str, str]:
    if standing is None:
        return {}
    cap: Any = standing.monthly_cap
    return {
        **_shown("threshold", standing.threshold_microcredits),
        "buys": standing.pack.key if standing.pack else "",
        **_shown("credits", standing.microcredits),
        "monthly_cap": f"{cap.amount.normalize():f}" if cap is not None else "",
    }


def _shown(name: str, microcredits: int | None) -> dict[str, str]:
    """An amount as a field shows it: exact, so that saving it again changes nothing."""
    if microcredits is None:
        return {}
    whole = microcredits % MICROCREDITS_PER_CREDIT == 0
    return {name: f"{microcredits // MICROCREDITS_PER_CREDIT:,}" if whole else format_credits(microcredits)}


settings = portal_page(_settings, methods=("GET", "HEAD", "POST"))
