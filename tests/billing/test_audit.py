"""The audit finds nothing where payments were kept by the services, and what was changed by hand, by its own check."""

import pytest
from django.db import connection

from billing.stripe.client import client
from entitlements.audit import audit
from tests.billing.cast import GUARDS, Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE payment SET status = 'processing'", "payments_are_granted"),
        ("UPDATE credit_grant SET paid = 79 WHERE source = 'top_up'", "payments_are_granted"),
        ("UPDATE top_up_order SET bonus_microcredits = 1", "payments_are_granted"),
        ("UPDATE reversal SET unburned_microcredits = unburned_microcredits + 1", "reversals_are_entered"),
        ("UPDATE reversal SET amount = amount - 80", "reversals_are_entered"),
        ("DELETE FROM reversal WHERE amount = 0", None),
    ],
    ids=range(6),
)
def test_what_was_changed_by_hand_is_found(shop: Shop, statement: str, check: str | None) -> None:
    acme = shop.buyer()
    acme.buys("big")
    shop.deliver()
    client().v1.refunds.create({"payment_intent": str(acme.order().payment_intent_id), "amount": 2000})
    shop.deliver()
    shop.assert_proven()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    found = {outcome.check.name for outcome in audit() if outcome.found and outcome.check.name != GUARDS}
    assert found == ({check} if check else set())
