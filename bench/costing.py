"""How many events one process costs per second: resolved rates, exact integers, a realistic mix.

Run by hand: ``python -m bench.costing``.
"""

import random
import time
from datetime import UTC, datetime, timedelta

from kernel.usage import Usage
from metering.costing import Call, CostCatalogue

EVENTS = 200_000
ROUNDS = 5

MIX = (
    # weight, provider, model, processing, region
    (30, "openai", "gpt-5-mini-2025-08-07", "standard", None),
    (20, "anthropic", "claude-sonnet-4-5-20250929", "standard", None),
    (12, "google", "gemini-2.5-flash", None, None),
    (10, "openai", "gpt-5.4", "flex", None),
    (8, "anthropic", "claude-opus-4-6", "batch", "us"),
    (8, "aws", "us.anthropic.claude-haiku-4-5-20251001-v1:0", None, None),
    (5, "deepseek", "deepseek-v4-flash", None, None),
    (4, "openai", "text-embedding-3-small", None, None),
    (2, None, "gpt-4.1-2025-04-14", None, None),
    (1, "acme", "no-such-model", None, None),
)
"""Cache-heavy chat, long contexts, daily windows, a regional surcharge, and one model nobody lists."""


def measure() -> dict[str, float]:
    """Cost EVENTS calls ROUNDS times over; the best round counts. Rates are resolved before the clock starts."""
    events = _events(random.Random(7))
    catalogue = CostCatalogue()
    costs = catalogue.cost_many(events)
    best = min(_seconds(catalogue, events) for _ in range(ROUNDS))
    return {
        "events": len(events),
        "events_per_second": round(len(events) / best),
        "microseconds_per_event": round(best / len(events) * 1e6, 3),
        "unpriced_share": round(sum(one.nanousd is None for one in costs) / len(costs), 4),
    }


def _seconds(catalogue: CostCatalogue, events: list[tuple[Usage, Call]]) -> float:
    started = time.perf_counter()
    catalogue.cost_many(events)
    return time.perf_counter() - started


def _events(dice: random.Random) -> list[tuple[Usage, Call]]:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    weights = [weight for weight, *_ in MIX]
    events = []
    for _, provider, model, processing, region in dice.choices(MIX, weights, k=EVENTS):
        prompt = int(dice.lognormvariate(7.5, 1.4))
        cached = int(prompt * dice.choice((0, 0, 0.5, 0.9)))
        output = 0 if "embedding" in model else int(dice.lognormvariate(5.5, 1.0))
        usage = Usage(
            input_tokens=prompt,
            cache_read_tokens=cached,
            output_tokens=output,
            reasoning_tokens=output // 3 if "gpt-5" in model else 0,
        )
        at = start + timedelta(seconds=dice.randrange(20 * 86_400))
        events.append((usage, Call(provider, model, at, processing, region)))
    return events


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name}: {value:,}")
