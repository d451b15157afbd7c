"""What a page shows, asked of the database once however many parts of the page want it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple

from django.core.cache import cache

from access.models.cache_revision import CacheRevision
from margins.checklist.answers import Answer
from margins.checklist.asking import checklist
from margins.currencies import Converted
from margins.margin import Margin, losses_first, reported_total, total
from margins.pages.request import Asked
from margins.people.changes import Change, cost_change, previous
from margins.people.users import People, people
from margins.period import Period
from margins.plan_audit.loading import audit_versions
from margins.queries.currencies import margin_setting
from margins.queries.margins import Dimension, MarginRow, Scope, coarser, margin_rows
from margins.queries.restated import Restated, restated_days
from margins.queries.unpriced import UnpricedModel, unpriced_models
from margins.savings.events import Savings, events_are_few, savings_of
from margins.savings.hosting import Server
from margins.savings.links import Links
from plans.auditing import SEVERITIES, Finding
from plans.models import PlanVersion
from plans.queries.on_sale import versions_on_sale

_FINEST: Final = (Dimension.FEATURE, Dimension.MODEL, Dimension.DAY)

MOST_EVENTS_AT_ONCE: Final = 500_000
"""Up to about this many events the dashboard reads them for what was saved; beyond, that has a page of its own."""


AUDIT_KEPT_SECONDS: Final = 3600


class PlanFinding(NamedTuple):
    """What the audit says of a version on sale."""

    version_id: int
    plan: str
    number: int
    finding: Finding


class Data:
    """Everybody's figures for the days asked about. Rows are of one billing currency, the one that is shown."""

    def __init__(self, asked: Asked, server: Server | None = None) -> None:
        self.asked = asked
        self.server = server or Server()
        self.scope = Scope(*asked.period)

    @cached_property
    def _by_customer(self) -> list[MarginRow]:
        return margin_rows(self.scope, [Dimension.CUSTOMER], now=self.asked.now)

    @cached_property
    def totals(self) -> list[Margin]:
        return total(row.margin for row in self._by_customer)

    @cached_property
    def margin(self) -> Margin:
        """The currency asked for, else US dollars, else whatever there is."""
        by_currency = {margin.currency: margin for margin in self.totals}
        for currency in (self.asked.currency, "USD", *by_currency):
            if currency in by_currency:
                return by_currency[currency]
        return Margin(self.asked.currency or "USD")

    @cached_property
    def all_currencies(self) -> tuple[str, Converted]:
        """Everybody together in the reporting currency, each day's money at that day's rate."""
        return margin_setting().reporting_currency, reported_total(row.margin for row in self._by_customer)

    @property
    def currencies(self) -> list[tuple[str, bool]]:
        return [(one.currency, one.currency == self.margin.currency) for one in self.totals]

    @cached_property
    def customers(self) -> list[MarginRow]:
        """Losses first."""
        return sorted(self._shown(self._by_customer), key=lambda row: losses_first(row.margin))

    @property
    def losing(self) -> int:
        return sum(1 for row in self.customers if (row.margin.gross_margin or 0) < 0)

    @cached_property
    def _finest(self) -> list[MarginRow]:
        return margin_rows(self.scope, _FINEST, now=self.asked.now)

    def by(self, dimension: Dimension) -> list[MarginRow]:
        """By feature, model or day: one question to the database for all three."""
        return self._shown(coarser(self._finest, _FINEST, [dimension]))

    @cached_property
    def by_cohort(self) -> list[MarginRow]:
        return self._shown(margin_rows(self.scope, [Dimension.COHORT], now=self.asked.now))

    @cached_property
    def all_by_feature(self) -> list[MarginRow]:
        """Of every billing currency."""
        return coarser(self._finest, _FINEST, [Dimension.FEATURE])

    @cached_property
    def people(self) -> People:
        return people(self.asked.period, self._by_customer)

    @cached_property
    def change(self) -> Change:
        """Since as many days before; since the first half where hardly anything was used before."""
        period = self.asked.period
        change = cost_change(previous(period), period)
        if change.bridge.before.calls * 10 >= change.bridge.after.calls:
            return change
        last = min(period.end, self.asked.now.date() + timedelta(days=1))
        middle = period.start + (last - period.start) // 2
        return cost_change(Period(period.start, middle), Period(middle, last)) if middle > period.start else change

    @cached_property
    def unpriced(self) -> Sequence[UnpricedModel]:
        return unpriced_models(self.scope)

    @cached_property
    def restated(self) -> list[Restated]:
        return [day for day in restated_days(self.scope) if day.currency == self.margin.currency]

    @cached_property
    def savings(self) -> Savings:
        return savings_of(self.scope, server=self.server)

    @property
    def savings_are_quick(self) -> bool:
        return events_are_few(MOST_EVENTS_AT_ONCE)

    @cached_property
    def checklist(self) -> list[Answer]:
        return checklist(self.asked.period, self._by_customer, self.people, self.asked.now)

    @cached_property
    def findings(self) -> list[PlanFinding]:
        """Of every plan on sale, worst first."""
        versions = list(versions_on_sale().order_by("plan__key"))
        audited = _audited(versions, self.asked.now)
        found = [
            PlanFinding(version.pk, version.plan.key, version.number, finding)
            for version in versions
            for finding in audited[version.pk]
        ]
        return sorted(found, key=lambda one: (SEVERITIES.index(one.finding.severity), one.plan, one.finding.code))

    @cached_property
    def links(self) -> Links:
        return Links(self.asked.period)

    def _shown(self, rows: Sequence[MarginRow]) -> list[MarginRow]:
        return [row for row in rows if row.margin.currency == self.margin.currency]


def _audited(versions: Sequence[PlanVersion], now: datetime) -> dict[int, Sequence[Finding]]:
    """What audits find, by version, kept until a price changes or an hour has passed: typical use moves slowly."""
    revision = CacheRevision.objects.values_list("revision", flat=True).first() or 0
    keys = {version.pk: f"margins:findings:{version.pk}:{revision}:{now:%Y-%m-%d}" for version in versions}
    kept: dict[str, Sequence[Finding]] = cache.get_many(keys.values())
    unknown = [version for version in versions if keys[version.pk] not in kept]
    if unknown:
        audits = audit_versions(unknown, now=now)
        fresh = {keys[version.pk]: one.findings for version, one in zip(unknown, audits, strict=True)}
        cache.set_many(fresh, AUDIT_KEPT_SECONDS)
        kept |= fresh
    return {pk: kept[key] for pk, key in keys.items()}
