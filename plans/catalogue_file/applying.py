"""Comparing a catalogue file with the database, and making the database say what the file says."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from kernel.errors import Problem
from plans.auditing import Acknowledged, Finding
from plans.catalogue_file import rows
from plans.catalogue_file.changes import Change, compare, unmentioned
from plans.catalogue_file.checking import check
from plans.catalogue_file.problems import CatalogueRefused
from plans.catalogue_file.reading import read_catalogue
from plans.catalogue_file.spec import CatalogueSpec
from plans.catalogue_file.stored import read_stored
from plans.models import PlanVersion, RateCardVersion
from plans.problems import AcknowledgementNeeded
from plans.services.publishing import publish_plan_version, publish_rate_card_version, version_findings


def pending_changes(text: str, *, publish: bool) -> tuple[list[Change], list[str]]:
    """(what applying the file would change, what the database has beside it). Writes nothing.

    Raises CatalogueFileInvalid, CatalogueRefused.
    """
    file, stored = read_catalogue(text), read_stored()
    check(file, stored.spec, settings.CURRENCIES)
    return compare(file, stored, publish=publish), unmentioned(file, stored)


def pending_findings(text: str, *, now: datetime) -> list[tuple[Change, list[Finding]]]:
    """What the audit says of each plan version that applying the file would publish, worst first.

    The file is applied and undone: nothing is left changed, and nobody sees it meanwhile. Raises CatalogueFileInvalid,
    CatalogueRefused.
    """
    changes, _ = pending_changes(text, publish=True)
    plans = [change for change in changes if change.sign == "^" and change.section == "plans"]
    if not plans:
        return []
    with transaction.atomic():
        _lock()
        _write(read_catalogue(text), changes)
        for change in changes:
            if change.sign == "^" and change.section == "rate_cards":
                _publish(change, now, None)
        findings = [(change, version_findings(_version(change), now=now)) for change in plans]
        transaction.set_rollback(True)
    return findings


@transaction.atomic
def apply_catalogue(
    text: str,
    *,
    publish: bool,
    now: datetime,
    expected: Sequence[Change] | None = None,
    acknowledged: Acknowledged | None = None,
) -> list[Change]:
    """Make the database say what the file says; all of it or nothing. Returns the changes made.

    Without `publish`, changed plans and rate cards become drafts. `expected` is what was shown
    before: if it is no longer what would change, nothing is. Plans whose audit finds something
    blocking are only published when `acknowledged`. Applying a file twice changes nothing the
    second time. Raises CatalogueFileInvalid, CatalogueRefused.
    """
    _lock()
    changes, _ = pending_changes(text, publish=publish)
    if expected is not None and list(expected) != changes:
        raise CatalogueRefused(["the catalogue was changed by somebody else meanwhile: look again before applying"])
    _write(read_catalogue(text), changes)
    for change in changes:
        if change.sign == "^":
            _publish(change, now, acknowledged)
    return changes


def _lock() -> None:
    """One at a time, and not between somebody's edits in the admin."""
    with connection.cursor() as cursor:
        cursor.execute(
            "LOCK TABLE feature, model_tier, ai_model, rate_card, plan, top_up_pack IN SHARE ROW EXCLUSIVE MODE"
        )


def _write(file: CatalogueSpec, changes: Sequence[Change]) -> None:
    by_section: dict[str, list[str]] = {}
    for change in changes:
        if change.sign != "^" and change.number is None:
            by_section.setdefault(change.section, []).append(change.key)
    rows.write_features({key: file.features[key] for key in by_section.get("features", ())})
    rows.write_tiers({key: file.tiers[key] for key in by_section.get("tiers", ())})
    rows.write_models({key: file.models[key] for key in by_section.get("models", ())})
    rows.write_packs({key: file.top_up_packs[key] for key in by_section.get("top_up_packs", ())})
    rows.write_rate_cards({key: file.rate_cards[key] for key in by_section.get("rate_cards", ())})
    rows.write_plans({key: file.plans[key] for key in by_section.get("plans", ())})
    for change in changes:
        if change.sign == "^" or change.number is None:
            continue
        if change.section == "rate_cards":
            versions = {version.number: version for version in file.rate_cards[change.key].versions}
            rows.write_rate_card_version(change.key, versions[change.number])
        else:
            rows.write_plan_version(change.key, change.number, file.plans[change.key], replaces=change.replaces)


def _publish(change: Change, now: datetime, acknowledged: Acknowledged | None) -> None:
    assert change.number is not None
    try:
        if change.section == "rate_cards":
            card_version = RateCardVersion.objects.get(card__key=change.key, number=change.number)
            publish_rate_card_version(card_version.pk, now=now)
        else:
            publish_plan_version(_version(change).pk, now=now, acknowledged=acknowledged)
    except Problem as problem:
        faults = [problem.detail, *(other["detail"] for other in problem.extra.get("also", ()))]
        said = [f"{change.title} cannot be published: {fault}" for fault in faults]
        if isinstance(problem, AcknowledgementNeeded):
            said.append(f"{change.title} can lose money: change it, or say why it is sold all the same (--acknowledge)")
        raise CatalogueRefused(said) from problem


def _version(change: Change) -> PlanVersion:
    assert change.number is not None
    return PlanVersion.objects.select_related("plan").get(plan__key=change.key, number=change.number)
