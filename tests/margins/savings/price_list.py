"""A price list written by hand: dollars per million tokens, so that figures can be checked with a pencil."""

from datetime import date
from fractions import Fraction
from typing import Any

from kernel.usage import Usage
from margins.savings.spend import Model, Prices, Spend, Task
from metering.costing import Call, CostRates

CENT = 10_000_000
"""Nano-USD."""
DOLLAR = 100 * CENT

LARGE = Model("large", "anthropic", "large", "premium", 2)
SMALL = Model("small", "openai", "small", "economy", 1)
UNKNOWN = Model("unheard-of", "", "unheard-of")

CHAT = Task("chat", "answer")
DOCUMENT = Task("documents", "summarise")

_PRICES = {
    # $10 in, $12.50 to write for five minutes (+25 %), $20 for an hour, $1 to read (−90 %), $50 out.
    "large": {
        "input_tokens": 10,
        "cache_write_5m_tokens": Fraction("12.5"),
        "cache_write_1h_tokens": 20,
        "cache_read_tokens": 1,
        "output_tokens": 50,
    },
    # $1 in, writing is free, $0.50 to read (−50 %), $4 out.
    "small": {"input_tokens": 1, "cache_read_tokens": Fraction("0.5"), "output_tokens": 4},
}


class PriceList:
    """Batches cost half."""

    def rates(self, call: Call) -> CostRates | None:
        found = _PRICES.get(call.model or "")
        if found is None:
            return None
        half = 2 if call.processing == "batch" else 1
        return CostRates("test", {kind: ((0, Fraction(usd) * 1000 / half),) for kind, usd in found.items()})


PRICES = Prices(PriceList())  # type: ignore[arg-type]


def spend(**parts: Any) -> Spend:
    """A hundred chats on the large model with a million tokens in and none out: $10, as stamped too."""
    usage = parts.pop("usage", Usage(input_tokens=1_000_000))
    usual: dict[str, Any] = {
        "day": date(2026, 11, 3), "task": CHAT, "model": LARGE, "processing": "", "region": "", "step": 0,
        "memoised": False, "calls": 100, "usage": usage,
    }  # fmt: skip
    made = Spend(**({"priced_calls": 0, "cost_nanousd": 0} | usual | parts))
    cost = 0 if made.memoised else PRICES.cost(made)
    priced = 0 if cost is None else made.calls
    return Spend(**(usual | {"priced_calls": priced, "cost_nanousd": int(cost or 0)} | parts))
