"""Drafts, publication and retirement of plan and rate card versions.

Each function locks the plan or card row first, so two of them never interleave on one plan; the
triggers of plans/sql/publish_guard make sure that nothing changes a published version by any way.
"""

from copy import copy
from datetime import datetime
from typing import TypeVar

import msgspec
from django.db import connection, transaction
from django.db.models import Model

from kernel.errors import Problem
from plans import problems
from plans.auditing import Acknowledged, Finding, audit, blocking
from plans.catalogue import load
from plans.models import (
    FallbackStep,
    Plan,
    PlanAcknowledgement,
    PlanEntitlement,
    PlanLimit,
    PlanVersion,
    RateCard,
    RateCardVersion,
)
from plans.services.candidates import plan_terms
from plans.services.checks import plan_problems


@transaction.atomic
def publish_plan_version(version_id: int, *, now: datetime, acknowledged: Acknowledged | None = None) -> PlanVersion:
    """Put a draft on sale. The version sold until now is retired; its subscribers keep it.

    A plan whose audit finds something blocking is published when it is `acknowledged`, which is kept with the version.
    Raises VersionIsNotDraft, or the first of `plans.services.checks`' refusals, whose `extra["also"]` lists the
    others; then AcknowledgementNeeded, with the audit's findings in `extra["findings"]`.
    """
    version = _locked_plan_version(version_id)
    if version.status != PlanVersion.Status.DRAFT:
        raise problems.VersionIsNotDraft(f"{version} is {version.status}.")
    with connection.cursor() as cursor:
        catalogue = load(cursor)
    terms = plan_terms(version)
    refuse(plan_problems(terms, catalogue, now))
    _acknowledge(version, audit(terms, catalogue, now), acknowledged, now)
    for sold in version.plan.versions.filter(status=PlanVersion.Status.PUBLISHED):
        _retire(sold, now)
    version.status = PlanVersion.Status.PUBLISHED
    version.published_at = now
    version.save(update_fields=["status", "published_at"])
    return version


@transaction.atomic
def retire_plan_version(version_id: int, *, now: datetime) -> PlanVersion:
    """Take a published version off sale; its subscribers keep it. Raises VersionIsNotPublished."""
    version = _locked_plan_version(version_id)
    if version.status != PlanVersion.Status.PUBLISHED:
        raise problems.VersionIsNotPublished(f"{version} is {version.status}.")
    _retire(version, now)
    return version


@transaction.atomic
def new_plan_draft(plan_id: int) -> PlanVersion:
    """Copy the plan's newest version into a draft with the next number. Raises DraftExists, NothingToCopy."""
    plan = Plan.objects.select_for_update(no_key=True).get(pk=plan_id)
    newest = plan.versions.order_by("-number").first()
    if newest is None:
        raise problems.NothingToCopy(f"{plan} has no version yet: add the first by hand.")
    if newest.status == PlanVersion.Status.DRAFT:
        raise problems.DraftExists(f"{newest} is a draft: change or publish that one.")
    draft = _copied(newest)
    draft.number, draft.status, draft.published_at, draft.retired_at = newest.number + 1, "draft", None, None
    draft.save()
    parts: list[PlanEntitlement | PlanLimit | FallbackStep] = [
        *newest.entitlements.order_by("id"),
        *newest.limits.order_by("id"),
        *newest.fallbacks.order_by("position"),
    ]
    for part in parts:
        twin = _copied(part)
        twin.plan_version = draft
        twin.save()
    return draft


@transaction.atomic
def publish_rate_card_version(version_id: int, *, now: datetime, start_now: bool = False) -> RateCardVersion:
    """Fix a draft's rates; they hold from its `effective_from` on. `start_now` makes that `now`.

    A card that plans sell by may not start in the past: events that come late would be charged
    otherwise than their neighbours were. Raises VersionIsNotDraft, RateCardIsEmpty,
    RateCardIsBackdated, RateCardDateTaken.
    """
    card_id = RateCardVersion.objects.values_list("card_id", flat=True).get(pk=version_id)
    RateCard.objects.select_for_update(no_key=True).get(pk=card_id)
    version = (
        RateCardVersion.objects.select_related("card").select_for_update(of=("self",), no_key=True).get(pk=version_id)
    )
    if version.status != RateCardVersion.Status.DRAFT:
        raise problems.VersionIsNotDraft(f"{version} is {version.status}.")
    if not version.rates.exists():
        raise problems.RateCardIsEmpty(f"{version} has no rates: everything would be unrated.", field="rates")
    if start_now:
        version.effective_from = now
    sold_by = version.card.plan_versions.exclude(status=PlanVersion.Status.DRAFT)
    if version.effective_from < now and sold_by.exists():
        raise problems.RateCardIsBackdated(
            f"{version} starts {version.effective_from:%Y-%m-%d %H:%M} UTC, which has passed, and plans sell by "
            f"{version.card}: let it start now or later.",
            field="effective_from",
        )
    others = version.card.versions.filter(status=RateCardVersion.Status.PUBLISHED)
    if others.filter(effective_from=version.effective_from).exists():
        raise problems.RateCardDateTaken("Choose another instant.", field="effective_from")
    version.status = RateCardVersion.Status.PUBLISHED
    version.published_at = now
    version.save(update_fields=["status", "published_at", "effective_from"])
    return version


@transaction.atomic
def new_rate_card_draft(card_id: int, *, now: datetime) -> RateCardVersion:
    """Copy the card's newest version into a draft that starts `now`. Raises DraftExists, NothingToCopy."""
    card = RateCard.objects.select_for_update(no_key=True).get(pk=card_id)
    newest = card.versions.order_by("-number").first()
    if newest is None:
        raise problems.NothingToCopy(f"{card} has no version yet: add the first by hand.")
    waiting = card.versions.filter(status=RateCardVersion.Status.DRAFT).first()
    if waiting is not None:
        raise problems.DraftExists(f"{waiting} is a draft: change or publish that one.")
    draft = _copied(newest)
    draft.number, draft.status, draft.published_at, draft.effective_from = newest.number + 1, "draft", None, now
    draft.save()
    for rate in newest.rates.order_by("id"):
        rate_twin = _copied(rate)
        rate_twin.version = draft
        rate_twin.save()
        for price in rate.token_rates.order_by("id"):
            price_twin = _copied(price)
            price_twin.rate = rate_twin
            price_twin.save()
    return draft


def version_findings(version: PlanVersion, *, now: datetime) -> list[Finding]:
    """What its audit says of a version of any status as it would be sold now. Reads only."""
    with connection.cursor() as cursor:
        catalogue = load(cursor)
    return audit(plan_terms(version), catalogue, now)


def _acknowledge(
    version: PlanVersion, findings: list[Finding], acknowledged: Acknowledged | None, now: datetime
) -> None:
    """Keep the acknowledgement of what speaks against the sale, if something does. Raises AcknowledgementNeeded."""
    against = blocking(findings)
    if not against:
        return
    if acknowledged is None or not acknowledged.reason.strip() or not acknowledged.covers(against):
        first, *others = against
        also = [{"code": other.code, "detail": other.detail, "field": None} for other in others]
        raise problems.AcknowledgementNeeded(
            first.detail,
            field="acknowledgement",
            **({"also": also} if also else {}),
            findings=[msgspec.to_builtins(finding) for finding in findings],
        )
    PlanAcknowledgement.objects.create(
        plan_version=version,
        made_at=now,
        actor=acknowledged.actor,
        reason=acknowledged.reason.strip(),
        findings=[msgspec.to_builtins(finding) for finding in against],
    )


def refuse(found: list[Problem]) -> None:
    """Raise the first problem, naming the others; nothing when there is none."""
    if not found:
        return
    first, *others = found
    if others:
        first.extra["also"] = [{"code": other.code, "detail": other.detail, "field": other.field} for other in others]
    raise first


def _locked_plan_version(version_id: int) -> PlanVersion:
    plan_id = PlanVersion.objects.values_list("plan_id", flat=True).get(pk=version_id)
    Plan.objects.select_for_update(no_key=True).get(pk=plan_id)
    # The version row too: whoever edits its parts holds a share lock on it until they commit.
    versions = PlanVersion.objects.select_related("plan").select_for_update(of=("self",), no_key=True)
    return versions.get(pk=version_id)


def _retire(version: PlanVersion, now: datetime) -> None:
    version.status = PlanVersion.Status.RETIRED
    version.retired_at = now
    version.save(update_fields=["status", "retired_at"])


Row = TypeVar("Row", bound=Model)


def _copied(row: Row) -> Row:
    """The row as a new one, not yet saved."""
    twin = copy(row)
    twin.pk = None
    return twin
