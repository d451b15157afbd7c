"""What a customer with an overdue payment may still do. Billing says since when it is; the plan says the rest."""

from datetime import datetime, timedelta
from typing import Literal

from entitlements.core.account import Account
from kernel.errors import Problem
from plans.catalogue import Catalogue
from plans.terms import PlanTerms

Standing = Literal["good", "grace", "soft_limit", "block"]


class PaymentOverdue(Problem):
    status = 402
    code = "payment_overdue"
    title = "A payment of the customer's is overdue"


def standing(account: Account, plan: PlanTerms | None, now: datetime) -> Standing:
    """Good; in the days of grace, or kept by the plan all the same; no more overage; or nothing at all any more."""
    if account.overdue_since is None or plan is None:
        return "good"
    if plan.grace == "keep" or now < account.overdue_since + timedelta(days=plan.grace_days):
        return "grace"
    return "block" if plan.grace == "block" else "soft_limit"


def require_good_enough(account: Account, catalogue: Catalogue, now: datetime) -> None:
    """Refuse to set credits aside for a customer who is blocked. Raises PaymentOverdue."""
    if standing(account, catalogue.plans.get(account.plan_version_id or 0), now) == "block":
        raise PaymentOverdue(f"a payment of {account.key!r} is overdue, and the days of grace are over")
