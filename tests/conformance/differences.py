"""Where an answer departs from what a case expects, in words."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.clock import parse_instant


def differences(expected: Any, actual: Any, where: str) -> list[str]:
    """A line for each departure; none if `actual` is as expected.

    Numbers are compared as decimals, instants as instants. Of an object only the expected members
    are looked at.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        pairs = [(key, expected[key], actual.get(key)) for key in expected]
        return [line for key, one, other in pairs for line in differences(one, other, f"{where}.{key}")]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = [(number, *pair) for number, pair in enumerate(zip(expected, actual, strict=True))]
        return [line for number, one, other in pairs for line in differences(one, other, f"{where}[{number}]")]
    return [] if _same(expected, actual) else [f"{where} is {_shown(actual)}, not {_shown(expected)}"]


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(actual, datetime) and isinstance(expected, str):
        return parse_instant(expected) == actual
    if isinstance(actual, Decimal) and isinstance(expected, int | float) and not isinstance(expected, bool):
        return Decimal(str(expected)) == actual
    return bool(expected == actual)


def _shown(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
