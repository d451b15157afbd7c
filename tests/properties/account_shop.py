"""What is on sale where anything can happen: plans that between them have every term there is, in small numbers."""

from plans.catalogue import Catalogue
from plans.terms import EntitlementTerms, LimitTerms, PlanTerms
from tests.shop import CREDIT, HUGE, LARGE, SMALL, catalogue, plan


def limit(key: str, **parts: object) -> LimitTerms:
    terms: dict[str, object] = {
        "id": sum(key.encode()),
        "key": key,
        "scope": "customer",
        "feature_id": None,
        "tier_id": None,
        "tier_rank": None,
        "unit": "credits",
        "window": "day",
        "kind": "hard",
        "value": 20 * CREDIT,
        "warn_at_percent": (),
    }
    return LimitTerms(**(terms | parts))  # type: ignore[arg-type]


def rights(*, max_rank: int | None = None, at_limit: str = "deny") -> dict[int, EntitlementTerms]:
    """Chat as told, and search: no export."""
    return {1: EntitlementTerms(1, max_rank, at_limit, None), 3: EntitlementTerms(3, None, "deny", None)}


PLANS: tuple[PlanTerms, ...] = (
    # The hard one: everything is limited, nothing falls back.
    plan(
        id=1,
        plan_key="pro",
        limits=(
            limit("period", window="period", kind="soft", value=20 * CREDIT, warn_at_percent=(50, 80)),
            limit("big", window="draw", value=20 * CREDIT),
            limit("burst", unit="calls", window="hour", value=3, warn_at_percent=(50, 100)),
            limit("each", scope="user", value=8 * CREDIT),
            limit("agent", scope="run", window="lifetime", value=6 * CREDIT),
        ),
    ),
    # Overage up to a cap, rollover, agents.
    plan(
        id=2,
        plan_key="flex",
        price="19",
        included_microcredits=5 * CREDIT,
        rollover_max_microcredits=2 * CREDIT,
        entitlements=rights(max_rank=2, at_limit="overage"),
        spend_cap_microcredits=6 * CREDIT,
        limits=(
            limit("tokens", scope="user", unit="tokens", window="hour", value=5000, warn_at_percent=(100,)),
            limit("cost", unit="cost", window="lifetime", value=1_500_000),
            limit("agent", scope="run", window="run", value=5 * CREDIT, warn_at_percent=(25, 75)),
        ),
    ),
    # A little every day, and overage without a cap.
    plan(
        id=3,
        plan_key="daily",
        price="9",
        allowance_renewal="day",
        included_microcredits=3 * CREDIT,
        rollover_max_microcredits=2 * CREDIT,
        allowance_priority=150,
        entitlements=rights(at_limit="overage"),
        limits=(
            limit("dear", unit="calls", tier_id=2, tier_rank=2, value=1),
            limit("all", id=77, scope="everyone", value=15 * CREDIT),
            limit("chats", scope="user", feature_id=1, unit="calls", window="hour", value=2),
        ),
    ),
    # Once and for all, on ever cheaper models.
    plan(
        id=4,
        plan_key="starter",
        price="49",
        allowance_renewal="never",
        included_microcredits=30 * CREDIT,
        entitlements=rights(max_rank=2, at_limit="downgrade"),
        fallbacks=(LARGE, SMALL),
        limits=(
            limit("brake", unit="calls", window="minute", value=2),
            limit("steps", scope="run", unit="calls", window="hour", value=2),
        ),
    ),
    # Nothing included and no model that has no price.
    plan(
        id=5,
        plan_key="strict",
        price="5",
        allowance_renewal="week",
        included_microcredits=0,
        unpriced="deny",
        entitlements=rights(max_rank=1),
        fallbacks=(HUGE, SMALL),
    ),
)

SHOP: Catalogue = catalogue(*PLANS)
