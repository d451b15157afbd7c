"""Who a customer is at Stripe: made when first needed, kept in line, replaced when it was deleted there."""

import uuid
from datetime import datetime

from django.db import transaction

from billing.convergence.locks import one_at_a_time
from billing.models import AutoTopUp, StripeCustomer
from billing.stripe.customers import CustomerSeen, create_customer
from billing.stripe.customers import customer as see_customer
from billing.stripe.errors import Gone
from entitlements.models import Customer


def stripe_customer_of(customer: Customer, now: datetime) -> StripeCustomer:
    """The customer's row with a Stripe customer behind it, made now if there is none or it was deleted.

    Raises StripeUnavailable, Invalid.
    """
    with one_at_a_time(f"customer:{customer.pk}"):
        row, _ = StripeCustomer.objects.get_or_create(customer=customer)
        if row.deleted_at is not None:
            row.creation_id, row.stripe_id, row.deleted_at, row.raw = uuid.uuid4(), None, None, {}
            row.save()
        if row.stripe_id is None:
            seen = create_customer(
                name=customer.name, email=customer.email, key=f"customer:{row.creation_id}", product_key=customer.key
            )
            _keep(row, seen, now)
        return row


def converge_customer(stripe_id: str, now: datetime) -> StripeCustomer | None:
    """Make our row agree with the customer at Stripe; None if it is none of ours."""
    row = StripeCustomer.objects.filter(stripe_id=stripe_id).first()
    if row is None:
        return None
    try:
        seen = see_customer(stripe_id)
    except Gone:
        seen = CustomerSeen(stripe_id, deleted=True, default_payment_method="", raw={"id": stripe_id, "deleted": True})
    with transaction.atomic():
        row = StripeCustomer.objects.select_for_update().get(pk=row.pk)
        if row.stripe_id == stripe_id:
            _keep(row, seen, now)
    return row


def _keep(row: StripeCustomer, seen: CustomerSeen, now: datetime) -> None:
    row.stripe_id, row.raw, row.fetched_at = seen.id, seen.raw, now
    row.default_payment_method = seen.default_payment_method
    if seen.deleted and row.deleted_at is None:
        row.deleted_at = now
        AutoTopUp.objects.filter(customer_id=row.customer_id, paused_reason="").update(
            paused_reason=AutoTopUp.Paused.CUSTOMER_DELETED, changed_at=now
        )
    row.save()
