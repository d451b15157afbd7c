"""A customer's own bound on overage: kept with the balance, honoured by the next call."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from entitlements.models import Balance
from entitlements.services.problems import CustomerUnknown
from entitlements.services.spend_cap import set_spend_cap
from kernel.errors import InvalidInput
from tests.world import CREDIT, Actor, World, assert_ledger_explains

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(now: datetime) -> Actor:
    """A customer who pays for everything as overage, with no cap in the plan."""
    return Actor("acme", now, World().metered)


def test_overage_stops_at_the_customers_cap(acme: Actor, now: datetime) -> None:
    set_spend_cap("acme", 3 * CREDIT, now)
    acme.spends(2, key="e1")
    acme.spends(2, key="e2")
    balance = acme.balance()
    assert (balance.overage, balance.debt) == (3 * CREDIT, CREDIT)
    assert_ledger_explains(acme.row.pk)


def test_a_cap_below_what_was_run_up_takes_nothing_back(acme: Actor, now: datetime) -> None:
    acme.spends(5, key="e1")
    set_spend_cap("acme", CREDIT, now)
    assert acme.balance().overage == 5 * CREDIT
    acme.spends(1, key="e2")
    assert (acme.balance().overage, acme.balance().debt) == (5 * CREDIT, CREDIT)


def test_taking_the_cap_off_leaves_the_plans_word_alone(acme: Actor, now: datetime) -> None:
    set_spend_cap("acme", 0, now)
    acme.spends(1, key="e1")
    assert acme.balance().debt == CREDIT
    set_spend_cap("acme", None, now)
    acme.is_granted(1)
    acme.spends(2, key="e2")
    assert (acme.balance().overage, acme.balance().debt) == (2 * CREDIT, 0)


def test_it_outlives_the_calls_that_write_the_balance(acme: Actor, now: datetime) -> None:
    set_spend_cap("acme", 3 * CREDIT, now)
    acme.spends(1, key="e1")
    assert Balance.objects.get(customer_id=acme.row.pk).spend_cap_microcredits == 3 * CREDIT


def test_a_cap_that_means_nothing_is_refused(acme: Actor, now: datetime) -> None:
    for amount in (-1, 10**18):
        with pytest.raises(InvalidInput):
            set_spend_cap("acme", amount, now)
    with pytest.raises(CustomerUnknown):
        set_spend_cap("nobody", CREDIT, now)
    with pytest.raises(IntegrityError, match="balance_spend_cap_is_not_negative"), transaction.atomic():
        Balance.objects.filter(customer_id=acme.row.pk).update(spend_cap_microcredits=-1)
