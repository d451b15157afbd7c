"""Where no correction touches a price, we agree with genai-prices on every model it lists, to the nano-USD."""

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from genai_prices.types import Usage as TheirUsage

from kernel.usage import Usage
from metering.costing import Call, cost, default_catalogue
from metering.costing.defaults import LABEL, providers

THEIRS = {
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_5m_tokens": "cache_write_5m_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "cache_read_image_tokens": "cache_image_read_tokens",
}

USAGES = [
    Usage(input_tokens=1000, output_tokens=100),
    Usage(
        input_tokens=250_001,
        cache_read_tokens=100_003,
        cache_write_5m_tokens=50_001,
        cache_write_1h_tokens=1_001,
        output_tokens=3_333,
        reasoning_tokens=111,
    ),
    Usage(
        input_tokens=5_000,
        input_audio_tokens=3_000,
        cache_read_tokens=1_000,
        cache_read_audio_tokens=500,
        input_image_tokens=700,
        output_tokens=900,
        output_audio_tokens=300,
        output_image_tokens=100,
    ),
]


def theirs(usage: Usage) -> TheirUsage:
    counts = {THEIRS.get(name, name): getattr(usage, name) for name in usage.__struct_fields__}
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return TheirUsage(**{name: count for name, count in counts.items() if count}, cache_write_tokens=written)


@pytest.mark.parametrize(
    ("at", "mode"),
    [
        ("2026-11-16T12:00", None),
        ("2026-11-16T02:30", None),
        ("2025-05-01T02:00", None),
        ("2026-08-20T23:59", None),
        ("2026-11-16T12:00", "batch"),
        ("2026-11-16T12:00", "flex"),
        ("2026-11-16T12:00", "priority"),
        ("2026-11-16T12:00", "fast"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_agreement(at: str, mode: str | None) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    context = {"processing": mode, "service_tier": mode, "speed": mode} if mode else {}
    outcomes: Counter[str] = Counter()
    for provider in providers():
        for model in provider.models:
            variants = model.price_variants or ()
            listed = any(all(context.get(k) == v for k, v in variant.when.items()) for variant in variants)
            if provider.find_model(model.id) is not model or (mode and not listed):
                continue
            rates = default_catalogue().rates(Call(provider.id, model.id, instant, mode))
            assert rates is not None, model.id
            for usage in USAGES:
                ours = cost(usage, rates)
                if rates.cost_card != LABEL:
                    outcomes["corrected"] += 1
                elif ours is None:
                    outcomes["no rate for something used"] += 1
                else:
                    try:
                        calculated = model.calc_price(
                            theirs(usage), provider, genai_request_timestamp=instant, price_context=context
                        )
                    except ValueError:
                        outcomes["refused by genai-prices"] += 1
                        continue
                    assert ours == round(Fraction(calculated.total_price) * 10**9), (provider.id, model.id, usage)
                    outcomes["same"] += 1
    assert outcomes["same"] > (9 if mode == "fast" else 50 if mode else 5_000), outcomes
    assert outcomes["refused by genai-prices"] <= 10, outcomes
