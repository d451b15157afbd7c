"""What one model call consumed: the neutral form every provider's usage body is read into.

Totals are inclusive, as OpenTelemetry and OpenAI count: `input_tokens` contains cache reads, cache
writes and every modality; `output_tokens` contains reasoning. The other token fields are parts of
those two. `split` turns the inclusive counts into disjoint quantities to multiply rates with.
"""

from collections.abc import Callable, Container, Mapping
from operator import attrgetter
from typing import Final

import msgspec

MAX_COUNT: Final = 2_000_000_000
"""No single call consumes this many of anything; above it a counter is corrupt."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Counts of one model call. All integers ≥ 0; `input_tokens` and `output_tokens` are inclusive."""

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    """Cache writes kept five minutes, and writes whose lifetime is not stated."""
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    cache_read_audio_tokens: int = 0
    """Part of both `cache_read_tokens` and `input_audio_tokens`."""
    input_image_tokens: int = 0
    cache_read_image_tokens: int = 0
    """Part of both `cache_read_tokens` and `input_image_tokens`."""
    input_video_tokens: int = 0
    cache_read_video_tokens: int = 0
    """Part of both `cache_read_tokens` and `input_video_tokens`."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    output_video_tokens: int = 0
    web_searches: int = 0
    rerank_searches: int = 0
    audio_milliseconds: int = 0
    input_characters: int = 0
    document_pages: int = 0


FIELDS: Final[tuple[str, ...]] = Usage.__struct_fields__

_counts: Final[Callable[[Usage], tuple[int, ...]]] = attrgetter(*FIELDS)

COLUMN_FIELDS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
"""Fields common enough to be columns of a usage event; the rest are kept as one JSON object."""

PARENT: Final[Mapping[str, str]] = {
    "cache_read_audio_tokens": "cache_read_tokens",
    "cache_read_image_tokens": "cache_read_tokens",
    "cache_read_video_tokens": "cache_read_tokens",
    "cache_write_1h_tokens": "cache_write_5m_tokens",
    "cache_write_5m_tokens": "input_tokens",
    "cache_read_tokens": "input_tokens",
    "input_audio_tokens": "input_tokens",
    "input_image_tokens": "input_tokens",
    "input_video_tokens": "input_tokens",
    "reasoning_tokens": "output_tokens",
    "output_audio_tokens": "output_tokens",
    "output_image_tokens": "output_tokens",
    "output_video_tokens": "output_tokens",
}
"""Where a kind is counted when it has no rate of its own. Children come before their parents."""


class InconsistentUsage(ValueError):
    """Counts that contradict each other: a part larger than its whole, or a count out of range."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field


def check(usage: Usage) -> None:
    """Refuse counts that are out of range or larger than the whole they are part of.

    Raises InconsistentUsage, whose `field` is the count at fault.
    """
    counts = _counts(usage)
    if min(counts) < 0 or max(counts) > MAX_COUNT:
        name = next(name for name, count in zip(FIELDS, counts, strict=True) if not 0 <= count <= MAX_COUNT)
        raise InconsistentUsage(name, f"must be between 0 and {MAX_COUNT}")
    quantities = _disjoint(usage)
    if min(quantities.values()) < 0:
        name = next(name for name, quantity in quantities.items() if quantity < 0)
        raise InconsistentUsage(name, "is smaller than the parts it contains")


def _disjoint(usage: Usage) -> dict[str, int]:
    cached_audio = usage.cache_read_audio_tokens
    cached_image = usage.cache_read_image_tokens
    cached_video = usage.cache_read_video_tokens
    audio = usage.input_audio_tokens - cached_audio
    image = usage.input_image_tokens - cached_image
    video = usage.input_video_tokens - cached_video
    return {
        "cache_read_audio_tokens": cached_audio,
        "cache_read_image_tokens": cached_image,
        "cache_read_video_tokens": cached_video,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "cache_write_5m_tokens": usage.cache_write_5m_tokens,
        "cache_read_tokens": usage.cache_read_tokens - cached_audio - cached_image - cached_video,
        "input_audio_tokens": audio,
        "input_image_tokens": image,
        "input_video_tokens": video,
        "input_tokens": usage.input_tokens
        - usage.cache_read_tokens
        - usage.cache_write_5m_tokens
        - usage.cache_write_1h_tokens
        - audio
        - image
        - video,
        "reasoning_tokens": usage.reasoning_tokens,
        "output_audio_tokens": usage.output_audio_tokens,
        "output_image_tokens": usage.output_image_tokens,
        "output_video_tokens": usage.output_video_tokens,
        "output_tokens": usage.output_tokens
        - usage.reasoning_tokens
        - usage.output_audio_tokens
        - usage.output_image_tokens
        - usage.output_video_tokens,
    }


COUNTS: Final = ("web_searches", "rerank_searches", "audio_milliseconds", "input_characters", "document_pages")
"""Quantities that are not tokens and have no parent. A rate card that does not list one charges nothing for it; a
supplier's cost that nobody lists is unknown, so the event is unpriced."""


def split(usage: Usage, priced: Container[str]) -> dict[str, int]:
    """Disjoint quantities by kind, each kind without a rate counted in its nearest priced parent.

    The token quantities sum to `input_tokens + output_tokens` whatever is priced: nothing is counted
    twice and nothing is lost (a total kind is always returned, priced or not, so the caller can see
    tokens it has no rate for). Kinds with nothing to count are left out.
    """
    quantities = _disjoint(usage)
    for kind, parent in PARENT.items():
        if quantities[kind] and kind not in priced:
            quantities[parent] += quantities[kind]
            quantities[kind] = 0
    for kind in COUNTS:
        quantities[kind] = getattr(usage, kind)
    return {kind: quantity for kind, quantity in quantities.items() if quantity}
