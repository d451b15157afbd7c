"""Which refusals each of the gate's endpoints has of its own, for the OpenAPI document.

What any endpoint may answer (no key, a body that is no JSON, an invalid field, an unreachable database) is
access/openapi.py's to say. Tests provoke each of these, so the list cannot go stale.
"""

from http import HTTPStatus
from typing import Any, Final

from access.problems import CONTENT_TYPE
from entitlements.core.holds import HoldExpired, HoldSettled, HoldUnknown, HoldVoided
from entitlements.core.margin_guard import BelowMarginFloor
from entitlements.core.runs import RunClosed, RunTooDeep, RunUnknown
from entitlements.core.settle import InsufficientCredits
from entitlements.core.standing import PaymentOverdue
from entitlements.gate.reading import TimeOutOfRange, UsageUnreadable
from entitlements.services.problems import CustomerUnknown
from kernel.errors import InvalidInput, KeyReused, Problem
from plans.problems import FeatureUnknown

PROBLEMS: Final[dict[str, tuple[type[Problem], ...]]] = {
    "/v1/check": (CustomerUnknown, FeatureUnknown, RunUnknown, KeyReused),
    "/v1/usage": (CustomerUnknown, FeatureUnknown, KeyReused, TimeOutOfRange, UsageUnreadable),
    "/v1/holds/{id}/settle": (HoldUnknown, HoldSettled, HoldVoided, KeyReused, TimeOutOfRange, UsageUnreadable),
    "/v1/holds/{id}/void": (HoldUnknown, HoldSettled),
    "/v1/leases": (InsufficientCredits, PaymentOverdue, BelowMarginFloor, CustomerUnknown, FeatureUnknown, KeyReused),
    "/v1/leases/{id}/extend": (
        InsufficientCredits,
        PaymentOverdue,
        BelowMarginFloor,
        HoldUnknown,
        HoldExpired,
        HoldSettled,
    ),
    "/v1/leases/{id}/settle": (HoldUnknown,),
    "/v1/leases/{id}/release": (HoldUnknown, HoldSettled),
    "/v1/runs": (CustomerUnknown, RunUnknown, KeyReused, RunClosed, RunTooDeep),
    "/v1/runs/{id}/close": (RunUnknown,),
}
"""By path. The items of a batch carry the same refusals in their results instead."""


def problem_responses(path: str) -> dict[str, Any]:
    """The responses of an endpoint's own refusals, by status, each naming its codes."""
    kinds: list[type[Problem]] = [*PROBLEMS[path], InvalidInput]
    return {
        str(status): _response(status, [kind for kind in kinds if kind.status == status])
        for status in sorted({kind.status for kind in kinds})
    }


def _response(status: int, kinds: list[type[Problem]]) -> dict[str, Any]:
    codes = "\n".join(f"- `{kind.code}`: {kind.title}." for kind in kinds)
    return {
        "description": f"{HTTPStatus(status).phrase}:\n\n{codes}",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
