"""Sums a provider promises, and what is done where they do not hold: usage is never dropped in silence."""

from typing import NamedTuple

from metering.readers.fields import Fields
from metering.readers.reading import UnreadableUsage


def hidden_output(usage: Fields, total_name: str, *, parts: int) -> int:
    """Tokens in the total that no part shows; 0 where the total is not reported. Raises UnreadableUsage.

    A total above its parts is the larger truthful figure: xAI leaves reasoning out of
    completion_tokens and Gemini's OpenAI endpoint leaves out thoughts (recorded: 35 + 12 of 109), both
    billed as output. A total below its parts contradicts them, and guessing which one is wrong is
    not reading.
    """
    total = usage.count(total_name)
    if not total:
        return 0
    if total < parts:
        raise UnreadableUsage(usage.at(total_name), f"{total} is less than the {parts} its parts add up to")
    return total - parts


class Cached(NamedTuple):
    """Cached tokens that are not text."""

    audio: int
    image: int
    video: int


_TEXT_ONLY = Cached(0, 0, 0)


def cached_modalities(*, total: int, cached: int, written: int, audio: int, image: int, video: int) -> Cached:
    """How many cached tokens must be audio, image or video, where only the sum of them all is reported.

    Text is taken to be cached first: the least overlap that makes the parts fit the total. Audio and
    images cost more than text and their cached rate is never above their full one, so the cost is not
    understated.
    """
    if not (audio or image or video):
        return _TEXT_ONLY
    overlap = min(cached, max(0, cached + written + audio + image + video - total))
    cached_audio = min(overlap, audio)
    cached_image = min(overlap - cached_audio, image)
    return Cached(cached_audio, cached_image, min(overlap - cached_audio - cached_image, video))
