from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from entitlements.models import Customer
from plans.models import PlanVersion


class OverageItem(models.Model):
    """Overage that became money owed, once per ledger entry, from then until it stands on an invoice.

    `exact` is microcredits × price; `carried` is what rounding left of the customer's items before this one, and
    `amount` what can be charged of both, rounded down: over time a customer pays the exact sum, to the minor unit.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for an invoice"
        SENDING = "sending", "Being put on an invoice"
        INVOICED = "invoiced", "Invoiced"
        CARRIED = "carried", "Too little: carried on"
        UNPRICED = "unpriced", "No price"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="overage_items")
    seq = models.BigIntegerField(help_text="The ledger entry.")
    microcredits = models.BigIntegerField()
    billed_at = models.DateTimeField(help_text="When it became money owed: the end of its period, or a threshold.")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    price = MoneyField(
        max_digits=14, decimal_places=6, default_currency="USD", null=True, blank=True, help_text="Of one credit."
    )
    exact = models.DecimalField(max_digits=30, decimal_places=12)
    carried = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    amount = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", help_text="What is charged.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    batch = models.BigIntegerField(null=True, blank=True, help_text="The first entry invoiced together with this one.")
    onto = models.TextField(blank=True, help_text="The renewal's draft it is put on; empty: an invoice of its own.")
    stripe_customer = models.TextField(blank=True)
    invoice_id = models.TextField(blank=True)
    item_id = models.TextField(blank=True)
    error = models.TextField(blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="Not before, since Stripe has refused it.")
    created_at = models.DateTimeField()
    invoiced_at = models.DateTimeField(null=True, blank=True)

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[OverageItem]"] = models.Manager()

    class Meta:
        db_table = "overage_item"
        ordering = ["-billed_at", "-id"]
        verbose_name = "overage item"
        indexes = [
            models.Index(
                fields=["customer"], condition=Q(state__in=("waiting", "sending")), name="overage_item_to_invoice"
            ),
            models.Index(fields=["invoice_id"], name="overage_item_by_invoice"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["customer", "seq"], name="overage_item_is_billed_once"),
            models.CheckConstraint(
                condition=Q(microcredits__gt=0, exact__gte=0, carried__gte=0, amount__gte=0),
                name="overage_item_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(amount__lte=F("exact") + F("carried")), name="overage_item_charges_no_more_than_is_owed"
            ),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price_currency=F("amount_currency")), name="overage_item_has_one_currency"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("carried", "unpriced"), amount=0)
                | Q(state__in=("waiting", "sending"), amount__gt=0)
                | Q(state="invoiced", amount__gt=0, invoiced_at__isnull=False, item_id__gt="", invoice_id__gt=""),
                name="overage_item_state_is_explained",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}/{self.seq}"
