"""The cast of the database tests: a small product with plans on sale, and customers made through the services.

Nothing here writes a table by hand that a service owns, so impossible states cannot be set up.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection
from moneyed import Money

from entitlements.core.record import Recorded, UsageFact
from entitlements.models import Balance, CreditGrant, Customer, LedgerEntry
from entitlements.services.accounts import BalanceView, read_balance
from entitlements.services.grants import GrantRequest, add_grant
from entitlements.services.subscriptions import subscribe
from entitlements.services.usage import record_many
from kernel.errors import Problem
from kernel.units import parse_credits
from plans.models import (
    AIModel,
    Feature,
    ModelTier,
    Plan,
    PlanEntitlement,
    PlanVersion,
    Rate,
    RateCard,
    RateCardVersion,
    TokenRate,
)
from tests import accounts

T = TypeVar("T")
CREDIT = 1_000_000
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class World:
    """What is on sale: chat on two tiers, and a plan of each kind."""

    def __init__(self) -> None:
        self.chat = Feature.objects.create(key="chat", name="Chat")
        self.export = Feature.objects.create(key="export", name="Export", kind=Feature.Kind.BOOLEAN)
        self.economy = ModelTier.objects.create(key="economy", name="Economy", rank=1)
        self.premium = ModelTier.objects.create(key="premium", name="Premium", rank=2)
        self.small = AIModel.objects.create(key="gpt-4o-mini", name="Small", provider="openai", tier=self.economy)
        self.large = AIModel.objects.create(key="gpt-4o", name="Large", provider="openai", tier=self.premium)
        self.card = RateCard.objects.create(key="standard", name="Standard")
        version = RateCardVersion.objects.create(card=self.card, number=1, effective_from=LONG_AGO)
        # 1 credit per 1k input and 4 per 1k output on premium, a tenth of that on economy.
        for tier, per_thousand in ((self.economy, CREDIT // 10), (self.premium, CREDIT)):
            rate = Rate.objects.create(version=version, feature=self.chat, tier=tier)
            TokenRate.objects.create(rate=rate, kind="input_tokens", microcredits=per_thousand, per=1000)
            TokenRate.objects.create(rate=rate, kind="output_tokens", microcredits=4 * per_thousand, per=1000)
        version.status, version.published_at = RateCardVersion.Status.PUBLISHED, LONG_AGO
        version.save()
        self.pro = self.plan("pro", price="29", included=100)
        self.metered = self.plan("metered", price="0", included=0, at_limit="overage", overage_price="0.02")

    def plan(
        self,
        key: str,
        *,
        price: str = "0",
        included: int = 0,
        at_limit: str = "deny",
        max_tier: ModelTier | None = None,
        overage_price: str | None = None,
        **terms: Any,
    ) -> PlanVersion:
        """A published plan with chat (up to economy unless told) and export."""
        plan = Plan.objects.create(key=key, name=key.title())
        version = PlanVersion.objects.create(
            plan=plan,
            number=1,
            price=Money(price, "USD"),
            rate_card=self.card,
            included_microcredits=included * CREDIT,
            overage_price=None if overage_price is None else Money(overage_price, "USD"),
            **terms,
        )
        PlanEntitlement.objects.create(
            plan_version=version, feature=self.chat, max_tier=max_tier or self.economy, at_limit=at_limit
        )
        PlanEntitlement.objects.create(plan_version=version, feature=self.export)
        version.status, version.published_at = PlanVersion.Status.PUBLISHED, LONG_AGO
        version.save()
        return version


class Actor:
    """A customer and what it can do."""

    def __init__(self, key: str, now: datetime, plan: PlanVersion | None = None) -> None:
        self.key, self.now = key, now
        self.row = Customer.objects.create(key=key, name=key.title(), created_at=now)
        if plan is not None:
            subscribe(key, plan, now)

    def is_granted(self, credits: str | int, *, key: str = "grant-1", **parts: Any) -> CreditGrant:
        request = GrantRequest(
            **({"key": key, "microcredits": parse_credits(str(credits)), "source": "top_up"} | parts)
        )
        grant, _ = add_grant(self.key, request, self.now)
        return grant

    def uses(self, *facts: UsageFact, now: datetime | None = None) -> list[Recorded | Problem]:
        return record_many([(self.key, fact) for fact in facts], now or self.now)

    def spends(self, credits: str | int, *, key: str, now: datetime | None = None) -> Recorded | Problem:
        at = now or self.now
        (result,) = self.uses(accounts.fact(key, at=at, stated_microcredits=parse_credits(str(credits))), now=at)
        return result

    def balance(self, now: datetime | None = None) -> BalanceView:
        return read_balance(self.key, now or self.now)

    @property
    def available(self) -> Decimal:
        return Decimal(self.balance().available) / CREDIT

    def ledger(self) -> list[LedgerEntry]:
        return list(LedgerEntry.objects.filter(customer_id=self.row.pk).order_by("seq"))


def in_parallel(count: int, action: Callable[[int], T]) -> list[T | Exception]:
    """Run `action(0) … action(count − 1)` at once, each on a connection of its own."""

    def run(number: int) -> T | Exception:
        try:
            return action(number)
        except Exception as error:  # noqa: BLE001 - outcomes are compared by the test
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=min(count, 16)) as pool:
        return list(pool.map(run, range(count)))


def assert_ledger_explains(customer_id: int) -> None:
    """Promise 3: the stored balance is the sum of the ledger, and of what is left of the active grants."""
    balance = Balance.objects.get(customer_id=customer_id)
    entries = LedgerEntry.objects.filter(customer_id=customer_id).order_by("seq")
    sums = {1: 0, 2: 0, 3: 0}
    for number, entry in enumerate(entries, start=1):
        assert entry.seq == number
        sums[entry.bucket] += entry.amount_microcredits
    assert balance.ledger_seq == len(entries)
    assert sums == {1: balance.posted_microcredits, 2: -balance.debt_microcredits, 3: -balance.overage_microcredits}
    active = CreditGrant.objects.filter(customer_id=customer_id, activated_at__isnull=False)
    assert sum(grant.remaining_microcredits for grant in active) == balance.posted_microcredits
