"""An offer from the database: the plan as given, what it costs today, and how it is used."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from django.db import connection

from kernel.errors import InvalidInput
from kernel.sql_files import sql_file
from kernel.usage import Usage
from margins.cost_lines import LineTerms
from margins.margin import SUPPLIER_CURRENCY
from margins.plan_audit.auditing import audit
from margins.plan_audit.terms import Audit, Burn, ObservedUse, Offer, PackTerms
from margins.queries.currencies import margin_setting
from margins.queries.dollars import per_dollar
from margins.queries.lines import cost_lines
from margins.units import nano_of
from metering.costing.catalogue import CostCatalogue
from metering.costing.queries import current_catalogue
from plans import problems
from plans.auditing import Finding
from plans.catalogue import Catalogue, load
from plans.models import Plan, PlanVersion
from plans.queries.on_sale import packs_on_sale
from plans.services.candidates import plan_terms
from plans.terms import PlanTerms

USE_DAYS: Final = 30
"""How far back a subscriber's use is measured."""

TYPICAL_MONTHS: Final = 3
ENOUGH_CALLS: Final = 20
"""From how many calls on their mean is taken for an ordinary one."""

_DAY: Final = timedelta(days=1)


def find_version(plan: str, number: int | None = None) -> PlanVersion:
    """A version of a plan by number; without one its draft, else what is on sale, else its newest.

    Raises PlanUnknown.
    """
    versions = PlanVersion.objects.select_related("plan").filter(plan__key=plan)
    if number is not None:
        found = versions.filter(number=number).first()
    else:
        rank = {PlanVersion.Status.DRAFT: 0, PlanVersion.Status.PUBLISHED: 1, PlanVersion.Status.RETIRED: 2}
        found = min(versions, key=lambda one: (rank[PlanVersion.Status(one.status)], -one.number), default=None)
    if found is None:
        known = Plan.objects.filter(key=plan).exists()
        raise problems.PlanUnknown(
            f"{plan} has no version {number}." if known and number else f"There is no plan {plan!r}."
        )
    return found


def read_reference(text: str) -> tuple[str, int | None]:
    """``pro@3`` → ("pro", 3); ``pro`` → ("pro", None). Raises InvalidInput."""
    key, at, number = text.partition("@")
    return key, read_number(number, field="plan") if at else None


def read_number(text: str | None, *, field: str) -> int | None:
    """The number of a version, None where none is named. Raises InvalidInput."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidInput(f"{text!r} is not the number of a version", field=field)
    return int(text)


def audit_version(version: PlanVersion, *, now: datetime) -> Audit:
    """The audit of a version of any status, by what is known today. Reads only."""
    (found,) = audit_versions([version], now=now)
    return found


def audit_versions(versions: Iterable[PlanVersion], *, now: datetime) -> list[Audit]:
    """The audits of several: what suppliers charge for a model is looked up for the first that allows it."""
    with connection.cursor() as cursor:
        catalogue = load(cursor)
    costs = current_catalogue()
    return [audit(offer_of(plan_terms(version), catalogue, now, costs)) for version in versions]


def plan_auditor(plan: PlanTerms, catalogue: Catalogue, now: datetime) -> Sequence[Finding]:
    """What plans asks before it publishes (plans/auditing.py)."""
    return audit(offer_of(plan, catalogue, now)).findings


def offer_of(plan: PlanTerms, catalogue: Catalogue, now: datetime, costs: CostCatalogue | None = None) -> Offer:
    """The plan with everything its cost depends on, at an instant."""
    # Of one plan: what a feature is known for on any of them tells an agent from a chat.
    agents = {
        limit.feature_id
        for other in catalogue.plans.values()
        for limit in other.limits
        if limit.scope == "run" and limit.feature_id is not None
    }
    per_usd = per_dollar(plan.currency, now.date())
    return Offer(
        plan=plan,
        catalogue=catalogue,
        card=catalogue.rate_card(plan.rate_card_id, now),
        costs=costs or current_catalogue(),
        at=now,
        packs=_packs(),
        lines=tuple(_lines(plan, per_usd, now.date())),
        use=_use(plan, now.date()),
        typical=_typical(now.date()),
        agents=frozenset(agents),
        money_per_usd=per_usd,
    )


def _packs() -> tuple[PackTerms, ...]:
    return tuple(
        PackTerms(
            key=pack.key,
            microcredits=pack.microcredits + pack.bonus_microcredits,
            price_nano=nano_of(pack.price.amount),
            currency=str(pack.price.currency),
        )
        for pack in packs_on_sale()
    )


def _lines(plan: PlanTerms, per_usd: Fraction | None, today: date) -> list[LineTerms]:
    """The other costs of everyone on the plan, in the currency of the audit. Other currencies' are left out."""
    plan_id = Plan.objects.filter(key=plan.plan_key).values_list("id", flat=True).first()
    currency = SUPPLIER_CURRENCY if per_usd is None else plan.currency
    lines = []
    for line in cost_lines(today, today + _DAY):
        if line.customer_id is not None or line.plan_id not in (None, plan_id):
            continue
        if line.currency in ("", currency):
            lines.append(line)
        elif line.currency == SUPPLIER_CURRENCY and per_usd is not None:
            lines.append(line._replace(amount_nano=round(line.amount_nano * per_usd), currency=currency))
    return lines


def _use(plan: PlanTerms, today: date) -> ObservedUse | None:
    versions = list(PlanVersion.objects.filter(plan__key=plan.plan_key).values_list("id", flat=True))
    since = today - timedelta(days=USE_DAYS - 1)
    inference = margin_setting().inference_cost
    rows = _rows("subscriber_burn", {"versions": versions, "since": since, "inference": inference})
    if not rows or not any(cost or microcredits for _, microcredits, cost in rows):
        return None
    # Of one subscriber the half-way and the heavy are the same.
    (subscribers, *half), (_, *heavy) = rows[0], rows[-1]
    return ObservedUse(subscribers, USE_DAYS, Burn(*half), Burn(*heavy))


def _typical(today: date) -> dict[tuple[int, str], Usage]:
    since = (today.replace(day=1) - timedelta(days=31 * (TYPICAL_MONTHS - 1))).replace(day=1)
    return {
        (feature_id, model): Usage(
            input_tokens=-(-inputs // calls),
            cache_read_tokens=cached // calls,
            cache_write_5m_tokens=short // calls,
            cache_write_1h_tokens=long // calls,
            output_tokens=-(-outputs // calls),
            reasoning_tokens=reasoned // calls,
        )
        for feature_id, model, calls, inputs, cached, short, long, outputs, reasoned in _rows(
            "typical_calls", {"since": since, "enough": ENOUGH_CALLS}
        )
    }


def _rows(name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql_file("margins", name), params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
