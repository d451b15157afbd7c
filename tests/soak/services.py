"""Staff and billing beside the callers: grants, voids and changes of plan by Django's services, on the same accounts.

`python -m tests.soak.services` reads its orders as JSON from standard input, and ends after SIGTERM. The database is
DATABASE_URL's.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.soak.calls import LAST_TRIES_SECONDS, Shift
from tests.soak.journal import Journal, Told

PAUSE_SECONDS = 0.05


class Orders(msgspec.Struct):
    seed: int
    customers: list[str]
    journal: str


def main(orders: Orders) -> None:
    shift = Shift()
    signal.signal(signal.SIGTERM, lambda *_: shift.end())
    dice, journal = random.Random(orders.seed), Journal(Path(orders.journal))
    granted: list[tuple[str, Any]] = []
    number = 0
    while not shift.is_over:
        number += 1
        customer, sent = dice.choice(orders.customers), time.time()
        kind = dice.choice(["grant", "grant", "grant", "void_grant", "plan"])
        if kind == "void_grant" and granted:
            customer, grant = granted.pop(dice.randrange(len(granted)))
            key, answer = str(grant), _persistently(shift, lambda: _void(customer, grant))  # noqa: B023 - called at once
        elif kind == "plan":
            key = dice.choice(["limited", "metered", "granted"])
            answer = _persistently(shift, lambda: _subscribe(customer, key))  # noqa: B023
        else:
            kind, key = "grant", f"grant-{number}"
            parts = _terms(dice)
            answer = _persistently(shift, lambda: _grant(customer, key, parts))  # noqa: B023
            if answer is not None:
                granted.append((customer, answer["id"]))
        status = 200 if answer is not None else 0
        told = Told(
            kind=kind, customer=customer, key=key, status=status, answer=answer, sent_at=sent, answered_at=time.time()
        )
        journal.tell(told)
        time.sleep(PAUSE_SECONDS)


def _persistently(shift: Shift, do: Callable[[], Any]) -> Any:
    """Do it again until the database has answered; None when it never did."""
    from django.db import Error, IntegrityError, connection

    while time.monotonic() < shift.ends + LAST_TRIES_SECONDS:
        try:
            return do()
        except IntegrityError:
            raise
        except Error:
            connection.close()
            time.sleep(0.1)
    return None


def _terms(dice: random.Random) -> dict[str, Any]:
    """Credits that start now or soon, and end soon or never."""
    from kernel.clock import utc_now

    now = utc_now()
    starts = dice.choice([None, None, now + timedelta(seconds=dice.randint(1, 5))])
    ends = dice.choice([None, (starts or now) + timedelta(seconds=dice.randint(1, 20))])
    return {
        "microcredits": dice.randint(1, 80_000_000),
        "source": dice.choice(["top_up", "promo"]),
        "effective_at": starts,
        "expires_at": ends,
    }


def _grant(customer: str, key: str, parts: dict[str, Any]) -> Any:
    from entitlements.services.grants import GrantRequest, add_grant
    from kernel.clock import utc_now
    from kernel.errors import InvalidInput

    try:
        grant, _ = add_grant(customer, GrantRequest(key=key, **parts), utc_now())
    except InvalidInput:  # Tried for so long that it has ended before it began.
        return None
    return {"id": str(grant.id), "microcredits": grant.amount_microcredits}


def _void(customer: str, grant: str) -> Any:
    from uuid import UUID

    from entitlements.services.grants import GrantClosed, void_grant
    from kernel.clock import utc_now

    try:
        void_grant(customer, UUID(grant), actor="soak", reason="soak", now=utc_now())
    except GrantClosed:
        return {"closed": True}
    return {"closed": False}


def _subscribe(customer: str, plan: str) -> Any:
    from entitlements.services.subscriptions import subscribe
    from kernel.clock import utc_now
    from plans.models import PlanVersion

    subscription = subscribe(customer, PlanVersion.objects.get(plan__key=plan), utc_now())
    return {"id": subscription.pk}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    main(msgspec.json.decode(sys.stdin.buffer.read(), type=Orders))
