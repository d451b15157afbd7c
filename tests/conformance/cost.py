"""The cost cases: a provider's body, a time and a price context in, an exact cost out.

Every case runs twice: through the default catalogue, and with the case's own rates as a cost card
above it. A disputed case (the catalogues contradict each other) has only its own rates to be right by.
A case that expects no cost expects to be unpriced.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from kernel.clock import parse_instant
from metering.costing import Call, CardRow, CostCatalogue, default_catalogue, load_overrides
from metering.readers import FORMATS, Reading, read

FORMAT_OF_FLAVOR = {
    ("openai", "chat"): "openai.chat",
    ("openai", "responses"): "openai.responses",
    ("openai", "embeddings"): "openai.embeddings",
    ("azure", "chat"): "openai.chat",
    ("azure", "responses"): "openai.responses",
    ("anthropic", "default"): "anthropic.messages",
    ("google", "default"): "gemini.generate_content",
    ("aws", "default"): "bedrock.converse",
}
"""Only for a body whose shape alone does not tell its format."""

COUNTED = {
    "web": "web_searches",
    "rerank": "rerank_searches",
    "search": "rerank_searches",
    "request": "requests",
    "second": "audio_milliseconds",
    "duration": "audio_milliseconds",
    "character": "input_characters",
    "page": "document_pages",
}
"""Words in a line's label that say it is not about tokens, the more telling first."""

UNITS_PER_QUANTITY = {"audio_milliseconds": 1000}
"""Where a case counts in larger units than we do."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def run(cases: Mapping[str, Any]) -> tuple[int, list[str], int]:
    """Run every case; (passed, failures as lines to print, skipped)."""
    passed, skipped = 0, 0
    failures: list[str] = []
    for case in cases["cases"]:
        if case["expected_cost_usd"] is None and case.get("verdict") == "disputed":
            skipped += 1
            continue
        problems = _problems(case)
        failures += [f"{case['id']}: {problem}" for problem in problems]
        passed += not problems
    return passed, failures, skipped


def _problems(case: Mapping[str, Any]) -> list[str]:
    try:
        reading = _read(case)
        found = []
        if case["expected_cost_usd"] is not None:
            found.append(_differs(case, reading, with_own_rates(case), "with its own rates"))
        if case.get("verdict") != "disputed":
            found.append(_differs(case, reading, default_catalogue(), "through the catalogue"))
    except (ValueError, KeyError) as problem:
        return [f"{type(problem).__name__}: {problem}"]
    return [problem for problem in found if problem]


def _differs(case: Mapping[str, Any], reading: Reading, catalogue: CostCatalogue, how: str) -> str:
    dollars = case["expected_cost_usd"]
    expected = None if dollars is None else int((Decimal(dollars) * 10**9).to_integral_value(ROUND_HALF_EVEN))
    costed = catalogue.cost_reading(reading, call(case, reading))
    if costed.nanousd == expected:
        return ""
    return f"{how}: expected {expected} nano-USD, got {costed.nanousd} from {costed.cost_card or 'no rate'}"


def call(case: Mapping[str, Any], reading: Reading) -> Call:
    """The call a case describes: its context first, then what the body itself says."""
    context = case.get("price_context") or {}
    modes = [context.get(name) for name in ("processing", "service_tier", "speed")]
    said = next((mode for mode in modes if mode and mode not in ("default", "standard")), None)
    mode = {"on_demand": "standard", "scale": "standard"}.get(said or "", said)
    return Call(
        provider=case["provider"],
        model=case["model"],
        at=parse_instant(case["event_time"]),
        processing=mode or reading.processing,
        region=context.get("inference_geo") or context.get("region") or reading.region,
    )


def with_own_rates(case: Mapping[str, Any]) -> CostCatalogue:
    """The catalogue under one cost card made of the rates a case states."""
    return CostCatalogue(load_overrides(rows(case)))


def rows(case: Mapping[str, Any]) -> list[CardRow]:
    """A case's rates as the rows of one published cost card, any mode, region and time."""
    return [
        CardRow(
            card_id=1,
            provider=case["provider"],
            model=case["model"],
            match="equals",
            processing="",
            region="",
            effective_from=LONG_AGO,
            effective_until=None,
            kind=kind,
            above_input_tokens=0,
            rate_nanousd_per_million=_rate(line, kind),
        )
        for line in case["normalized_lines"]
        for kind in kinds(line["label"])
    ]


def kinds(label: str) -> list[str]:
    """What a line of a case prices, from its label: cache_read, input_audio, input+output, cache_write_1h, …"""
    return [_kind(part) for part in label.strip().lower().split("+")]


def _kind(label: str) -> str:
    counted = next((kind for word, kind in COUNTED.items() if word in label), None)
    if counted is not None:
        return counted
    modality = next((name for name in ("audio", "image", "video") if name in label), None)
    if "write" in label or "creation" in label:
        return "cache_write_1h_tokens" if "1h" in label else "cache_write_5m_tokens"
    if "cache" in label:
        return f"cache_read_{modality}_tokens" if modality in ("audio", "image") else "cache_read_tokens"
    if "reasoning" in label or "thought" in label or "thinking" in label:
        return "reasoning_tokens"
    side = "output" if "output" in label or "completion" in label else "input"
    return f"{side}_{modality}_tokens" if modality else f"{side}_tokens"


def _rate(line: Mapping[str, Any], kind: str) -> int:
    per_million = line.get("usd_per_million")
    if per_million is None:
        per_million = Decimal(line["usd"]) / Decimal(line["quantity"]) * 1_000_000
    return round(Decimal(per_million) * 1_000_000_000 / UNITS_PER_QUANTITY.get(kind, 1))


def _read(case: Mapping[str, Any]) -> Reading:
    try:
        return read(case["usage"])
    except ValueError:
        named = FORMAT_OF_FLAVOR.get((case["provider"], case.get("api_flavor", "default")))
        if named is None and case["provider"] in FORMATS:
            named = case["provider"]
        if named is None:
            raise
        return read(case["usage"], named)
