"""Customers' books written row by row, the way the ledger and the rollups keep them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F
from djmoney.money import Money

from entitlements.core.words import Bucket, EntryKind
from entitlements.models import Balance, CreditGrant, Customer, LedgerEntry, Subscription
from kernel.ids import key_digest, new_id
from margins.models import CostLine
from metering.models import UsageDay, UsageEvent, UsageMonth
from plans.models import Feature, Plan, PlanVersion, RateCard

CREDIT = 10**6
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def at(day: int, hour: int = 12, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def feature(key: str) -> Feature:
    return Feature.objects.get_or_create(key=key, defaults={"name": key.title()})[0]


def plan(key: str = "pro", price: str = "299", *, currency: str = "USD", **parts: Any) -> PlanVersion:
    """A published version of a plan."""
    of, _ = Plan.objects.get_or_create(key=key, defaults={"name": key.title()})
    card, _ = RateCard.objects.get_or_create(key="standard", defaults={"name": "Standard"})
    usual: dict[str, Any] = {
        "plan": of,
        "number": of.versions.count() + 1,
        "status": "published",
        "price": Money(price, currency),
        "rate_card": card,
        "published_at": NOVEMBER,
    }
    return PlanVersion.objects.create(**(usual | parts))


def cost_line(key: str, basis: str, figure: str, **parts: Any) -> CostLine:
    """One of our other costs, from the start of 2026 on; `figure` is US dollars or a percentage."""
    usual: dict[str, Any] = {"key": key, "name": key.title(), "basis": basis, "starts_on": date(2026, 1, 1)}
    worth = {"percent": Decimal(figure)} if basis == "percent_of_revenue" else {"amount": Money(figure, "USD")}
    return CostLine.objects.create(**(usual | worth | parts))


@dataclass
class Books:
    """One customer and what happened to it."""

    customer: Customer
    seq: int = 0
    version: PlanVersion | None = None
    events: Counter[str] = field(default_factory=Counter)

    @classmethod
    def open(cls, key: str = "acme", *, currency: str = "USD") -> "Books":
        return cls(Customer.objects.create(key=key, name=key.title(), currency=currency, created_at=NOVEMBER))

    def subscribes(self, to: PlanVersion, *, on: datetime = NOVEMBER, anchor: datetime | None = None) -> "Books":
        """Go on a plan, leaving the one before."""
        Subscription.objects.filter(customer=self.customer, ended_at=None).update(ended_at=on)
        Subscription.objects.create(customer=self.customer, plan_version=to, anchor=anchor or on, started_at=on)
        self.version = to
        return self

    def leaves(self, on: datetime) -> None:
        Subscription.objects.filter(customer=self.customer, ended_at=None).update(ended_at=on)
        self.version = None

    def is_granted(self, credits: int, *, paid: str = "0", currency: str = "USD", source: str = "top_up") -> UUID:
        """A grant that is effective from the first of November."""
        grant = CreditGrant.objects.create(
            customer_id=self.customer.pk, id=(grant_id := new_id()),
            key=str(grant_id), key_digest=key_digest(str(grant_id)), body_digest=grant_id,
            source=source, priority=50, amount_microcredits=credits * CREDIT, remaining_microcredits=credits * CREDIT,
            effective_at=NOVEMBER, created_at=NOVEMBER, activated_at=NOVEMBER, paid=Money(paid, currency),
        )  # fmt: skip
        self.enters(EntryKind.GRANT, credits, at=NOVEMBER, grant=grant_id)
        return UUID(str(grant.id))

    def enters(
        self,
        kind: EntryKind,
        credits: float,
        *,
        at: datetime,
        recorded: datetime | None = None,
        grant: UUID | None = None,
        event: UsageEvent | None = None,
        bucket: Bucket = Bucket.POSTED,
    ) -> None:
        """One ledger entry, in the order of writing; `recorded` at its own instant unless told."""
        self.seq += 1
        LedgerEntry.objects.create(
            customer_id=self.customer.pk, seq=self.seq, recorded_at=recorded or at, effective_at=at, kind=kind,
            bucket=bucket, amount_microcredits=round(credits * CREDIT), grant_id=grant,
            event_digest=event.key_digest if event else None,
        )  # fmt: skip
        Balance.objects.filter(customer_id=self.customer.pk).update(ledger_seq=self.seq)
        if bucket is Bucket.POSTED and kind is not EntryKind.GRANT:
            grants = CreditGrant.objects.filter(customer_id=self.customer.pk, id=grant)
            grants.update(remaining_microcredits=F("remaining_microcredits") + round(credits * CREDIT))

    def uses(
        self,
        name: str,
        *,
        at: datetime,
        recorded: datetime | None = None,
        model: str = "gpt-4o",
        credits: float = 0,
        cost_usd: str | None = "0",
        tokens: int = 1_000,
        user: str = "",
        burning: UUID | None = None,
        as_overage: bool = False,
    ) -> UsageEvent:
        """One call: the event, its rollups, and the entry of what paid for it."""
        self.events[name] += 1
        key = f"{self.customer.key}:{name}:{self.events[name]}"
        cost = None if cost_usd is None else int(Decimal(cost_usd) * 10**9)
        event = UsageEvent.objects.create(
            customer_id=self.customer.pk, key=key, key_digest=key_digest(key), body_digest=key_digest(key),
            occurred_at=at, received_at=recorded or at, feature_id=feature(name).pk, model=model, user_key=user,
            input_tokens=tokens, plan_version_id=self.version.pk if self.version else 0,
            charged_microcredits=round(credits * CREDIT), cost_nanousd=cost,
        )  # fmt: skip
        place = {
            "customer_id": self.customer.pk, "day": at.date(), "plan_version_id": event.plan_version_id,
            "feature_id": event.feature_id, "model": model, "user_key": user,
        }  # fmt: skip
        sums = {
            "calls": 1, "unpriced_calls": int(cost is None), "input_tokens": tokens,
            "charged_microcredits": round(credits * CREDIT), "cost_nanousd": cost or 0,
        }  # fmt: skip
        _add_up(UsageDay, place, sums)
        by_month = {name: place[name] for name in ("customer_id", "plan_version_id", "feature_id", "model")}
        _add_up(UsageMonth, by_month | {"month": at.date().replace(day=1)}, sums)
        if as_overage:
            self.enters(EntryKind.OVERAGE, -credits, at=at, recorded=recorded, event=event, bucket=Bucket.OVERAGE)
        elif burning is not None:
            self.enters(EntryKind.BURN, -credits, at=at, recorded=recorded, grant=burning, event=event)
        return event


def _add_up(rollup: type[UsageDay] | type[UsageMonth], place: dict[str, Any], sums: dict[str, int]) -> None:
    row = rollup.objects.filter(**place).first()
    if row is None:
        rollup.objects.create(**place, **sums)
    else:
        rollup.objects.filter(**place).update(**{name: getattr(row, name) + sums[name] for name in sums})
