from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from entitlements.models import Customer
from margins.cost_lines import METERS, Basis, SharedBy
from margins.margin import INFERENCE
from plans.models import Feature, Plan
from plans.models.fields import key_field

BASES = [
    (Basis.PER_CUSTOMER.value, "per customer and calendar month"),
    (Basis.PER_SEAT.value, "per seat and calendar month"),
    (Basis.PER_ACTIVE_USER.value, "per user active in a calendar month"),
    (Basis.PER_ACTIVE_USER_DAY.value, "per user and day active"),
    (Basis.PER_CALL.value, "per call"),
    (Basis.PER_RUN.value, "per agent run"),
    (Basis.PER_MILLION_TOKENS.value, "per million tokens"),
    (Basis.PER_CREDIT.value, "per credit charged"),
    (Basis.PERCENT_OF_REVENUE.value, "% of revenue"),
    (Basis.PER_PAYMENT.value, "per payment, and % of it"),
    (Basis.SHARED.value, "shared by everyone, per calendar month"),
]

_PERCENT_ONLY = Q(basis="percent_of_revenue")
_PERCENT_TOO = Q(basis="per_payment")


class CostLine(models.Model):
    """Something we pay besides inference: hosting, third-party APIs, support, payment fees.

    Lines are dated, over [starts_on, ends_on) in UTC days, and their figures never change (trigger
    ``cost_line_keeps_its_history``): to change a price, end the line and start another under the
    same key; to undo a mistake, end it on the day it starts. Lines of one key add up to one line of
    COGS, so `hosting` may differ by plan.
    """

    key = key_field(unique=False)
    name = models.CharField(max_length=100)
    basis = models.CharField(max_length=20, choices=BASES)
    amount = MoneyField(
        max_digits=18, decimal_places=9, default_currency="USD", null=True, blank=True,
        help_text="Per what the basis says; empty for a percentage.",
    )  # fmt: skip
    percent = models.DecimalField(
        max_digits=7, decimal_places=4, null=True, blank=True, help_text="2.9 is 2.9 % of revenue, or of a payment."
    )
    seats = models.PositiveIntegerField(null=True, blank=True, help_text="Per seat: how many there are.")
    meter = models.CharField(
        max_length=24, blank=True, choices=[(meter, meter.replace("_", " ")) for meter in METERS],
        help_text="Per million tokens of this kind; empty: input and output together.",
    )  # fmt: skip
    shared_by = models.CharField(
        max_length=10, blank=True, choices=[(key.value, key.value) for key in SharedBy],
        help_text="Shared: what it is divided by, day by day.",
    )  # fmt: skip
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Only this customer."
    )
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Only on this plan."
    )
    feature = models.ForeignKey(
        Feature, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Only its usage."
    )
    starts_on = models.DateField(help_text="First UTC day it counts.")
    ends_on = models.DateField(null=True, blank=True, help_text="First UTC day it no longer counts.")
    note = models.TextField(blank=True)

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[CostLine]"] = models.Manager()

    class Meta:
        db_table = "cost_line"
        ordering = ["key", "starts_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(_PERCENT_ONLY & Q(percent__isnull=False, amount=None))
                | (_PERCENT_TOO & (Q(percent__isnull=False) | Q(amount__isnull=False)))
                | (~_PERCENT_ONLY & ~_PERCENT_TOO & Q(percent=None, amount__isnull=False)),
                name="cost_line_has_what_its_basis_needs",
                violation_error_message=(
                    "A percentage of revenue needs a percentage and no amount, a payment either or both, "
                    "all else an amount."
                ),
            ),
            models.CheckConstraint(
                condition=Q(basis="per_seat", seats__isnull=False, seats__gt=0)
                | (~Q(basis="per_seat") & Q(seats=None)),
                name="cost_line_per_seat_says_how_many",
                violation_error_message="A cost per seat needs the number of seats, and nothing else has one.",
            ),
            models.CheckConstraint(
                condition=Q(basis="shared", shared_by__in=[key.value for key in SharedBy], customer=None, plan=None)
                | (~Q(basis="shared") & Q(shared_by="")),
                name="cost_line_shared_says_by_what",
                violation_error_message="A shared cost says what it is divided by, and is everyone's.",
            ),
            models.CheckConstraint(
                condition=Q(meter="") | Q(basis="per_million_tokens", meter__in=METERS),
                name="cost_line_meter_is_of_tokens",
                violation_error_message="Only a cost per million tokens can be of one kind of them.",
            ),
            models.CheckConstraint(
                condition=Q(basis__in=[basis.value for basis in Basis]), name="cost_line_basis_is_known"
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="cost_line_amount_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__gte=0, percent__lte=100), name="cost_line_percent_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="cost_line_ends_after_it_starts",
                violation_error_message="A line cannot end before it starts.",
            ),
            models.CheckConstraint(
                condition=Q(feature=None) | Q(basis__in=["per_call", "per_million_tokens", "per_credit"]),
                name="cost_line_of_a_feature_counts_usage",
                violation_error_message="Only costs per call, per million tokens or per credit can be of one feature.",
            ),
            models.CheckConstraint(
                condition=~Q(key=INFERENCE),
                name="cost_line_is_not_inference",
                violation_error_message="Inference comes from usage itself; call this line something else.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Say in a form what the trigger would refuse: the same line twice on one day."""
        super().clean()
        if not self.starts_on or (self.ends_on and self.ends_on <= self.starts_on):
            return
        undone = Q(ends_on=F("starts_on"))
        twins = CostLine.objects.exclude(pk=self.pk).filter(
            ~undone & (Q(ends_on=None) | Q(ends_on__gt=self.starts_on)),
            key=self.key,
            basis=self.basis,
            customer=self.customer,
            plan=self.plan,
            feature=self.feature,
            meter=self.meter,
        )
        if self.ends_on:
            twins = twins.filter(starts_on__lt=self.ends_on)
        if twin := twins.first():
            until = f"up to {twin.ends_on}" if twin.ends_on else "on"
            raise ValidationError(
                {"starts_on": f"{self.key} already holds from {twin.starts_on} {until}: end that first."}
            )
