"""Who is asked what a plan may cost before it is sold. Pure, and a register of auditors.

What things cost is known two floors above (margins), which may import plans and not the other way round: an app
registers its auditor when it is ready. Nobody registered is nobody who objects.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec

from plans.catalogue import Catalogue
from plans.terms import PlanTerms

Severity = Literal["blocking", "warning", "info"]

SEVERITIES: Final[tuple[Severity, ...]] = ("blocking", "warning", "info")
"""Worst first."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something an audit says about a plan: a stable code, a sentence with its figures, and what to change.

    `models` and `limits` are the keys it rests on. A blocking finding keeps a plan from being published until somebody
    says why it is sold all the same.
    """

    severity: Severity
    code: str
    detail: str
    remedy: str
    models: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class Acknowledged(msgspec.Struct, frozen=True):
    """That somebody knows what a plan may cost, and sells it all the same.

    `codes` are the findings they were shown, where they were shown any: those of another day are not acknowledged.
    """

    actor: str
    reason: str
    codes: frozenset[str] | None = None

    def covers(self, findings: Iterable[Finding]) -> bool:
        """Whether each of the findings was known to whoever acknowledged."""
        return self.codes is None or {finding.code for finding in findings} <= self.codes


Auditor = Callable[[PlanTerms, Catalogue, datetime], Iterable[Finding]]
"""Looks at a plan of any status as it would be sold at an instant. Reads only."""

_auditors: Final[list[Auditor]] = []


def register(auditor: Auditor) -> None:
    """Have every plan looked at by `auditor` before it is published."""
    if auditor not in _auditors:
        _auditors.append(auditor)


def audit(plan: PlanTerms, catalogue: Catalogue, now: datetime) -> list[Finding]:
    """What every auditor says about the plan, worst first."""
    found = [finding for auditor in _auditors for finding in auditor(plan, catalogue, now)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep a plan from being published."""
    return [finding for finding in findings if finding.severity == "blocking"]
