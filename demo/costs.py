"""What the demo company pays besides inference, and what it says its features earn."""

from datetime import date
from decimal import Decimal

from margins.cost_lines import Basis
from margins.models import CostLine, FeatureBenefit
from plans.models import Feature, Plan


def create_cost_lines(starts_on: date) -> None:
    """Hosting, document parsing, moderation, support by plan, and the payment provider's share. In USD."""
    lines = [
        CostLine(key="hosting", name="Hosting", basis=Basis.PER_CUSTOMER, amount=Decimal("1.40")),
        CostLine(key="storage", name="Conversation storage", basis=Basis.PER_MILLION_TOKENS, amount=Decimal("0.02")),
        CostLine(key="moderation", name="Moderation API", basis=Basis.PER_CALL, amount=Decimal("0.0004")),
        CostLine(
            key="document-parsing",
            name="Document parsing API",
            basis=Basis.PER_CALL,
            amount=Decimal("0.0015"),
            feature=Feature.objects.get(key="summarise-documents"),
        ),
        *(
            CostLine(
                key="support",
                name=f"Support, {plan}",
                basis=Basis.PER_CUSTOMER,
                amount=Decimal(amount),
                plan=Plan.objects.get(key=plan),
            )
            for plan, amount in (("pro", "1.50"), ("team", "9"), ("scale", "60"))
        ),
        CostLine(
            key="payment-fees",
            name="Payment fees",
            basis=Basis.PERCENT_OF_REVENUE,
            percent=Decimal("2.9"),
        ),
    ]
    for line in lines:
        line.starts_on = starts_on
        line.save()


def state_benefits(starts_on: date) -> None:
    """One feature that is said to earn more than it costs, and one that is not. In USD."""
    benefits = [
        FeatureBenefit(
            feature=Feature.objects.get(key="summarise-documents"),
            kind=FeatureBenefit.Kind.CHURN,
            amount=Decimal(4),
            investment=Decimal(1800),
            assumption="Of customers who summarise, 3 in 100 fewer leave each month (holdout in the third quarter).",
        ),
        FeatureBenefit(
            feature=Feature.objects.get(key="code-agent"),
            kind=FeatureBenefit.Kind.EXPANSION,
            amount=Decimal(5),
            assumption="A guess: one developer in ten moves their company to a larger plan within the year.",
        ),
    ]
    for benefit in benefits:
        benefit.starts_on = starts_on
        benefit.save()
