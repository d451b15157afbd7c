"""What would have been saved, had what works in one place been done in the others. Pure.

Each advice says what it would save alone. Together they are taken in one order (answers of our own,
cheaper tier, prompt caching, batches), each of what the ones before it leave, so the total never
counts a dollar twice and never exceeds what was spent. Amounts are the real cost of the calls, as much
more or less as list prices say.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec

from kernel.usage import Usage
from margins.savings.caching import CacheUse
from margins.savings.moves import Move, Moves
from margins.savings.saved import Means
from margins.savings.spend import Prices, Spend, uncached

ORDER: Final = (Means.MEMOISED, Means.TIER, Means.CACHING, Means.BATCH)


class Advice(NamedTuple):
    """A move with what it would have saved, alone and of what the moves before it leave."""

    move: Move
    calls: int
    cost_nanousd: int
    """What the calls it concerns cost."""
    alone_nanousd: int
    together_nanousd: int


class _Part(NamedTuple):
    """A share of a spend's calls as they would have been made."""

    weight: Fraction
    spend: Spend
    usage: Usage


def advise(spends: Sequence[Spend], uses: Sequence[CacheUse], prices: Prices) -> list[Advice]:
    """Everything worth doing, by what it adds to the total. Calls without a known cost are left out."""
    moves = Moves(spends, uses)
    sums: dict[Move, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 4)
    for spend in spends:
        if spend.memoised or not spend.cost_nanousd or not (listed := prices.cost(spend)):
            continue
        scale = Fraction(spend.cost_nanousd) / listed
        whole = [_Part(Fraction(1), spend, spend.usage)]
        parts, left = whole, listed
        for means in ORDER:
            move = moves.of(means, spend)
            if move is None:
                continue
            alone = listed - _cost(_after(move, whole, prices), prices)
            parts = _after(move, parts, prices)
            now = _cost(parts, prices)
            gained = (Fraction(spend.calls), Fraction(spend.cost_nanousd), alone * scale, (left - now) * scale)
            sums[move] = [mine + more for mine, more in zip(sums[move], gained, strict=True)]
            left = now
    found = [Advice(move, *map(round, row)) for move, row in sums.items()]
    worth = [one for one in found if one.alone_nanousd > 0]
    return sorted(worth, key=lambda one: (-one.together_nanousd, -one.alone_nanousd, one.move.means, one.move.task))


def _after(move: Move, parts: Sequence[_Part], prices: Prices) -> list[_Part]:
    return [each for part in parts for each in _moved(move, part, prices)]


def _moved(move: Move, part: _Part, prices: Prices) -> list[_Part]:
    """The part as the move would have it; as it was where that would be no cheaper."""
    if move.means is Means.MEMOISED:
        return [part._replace(weight=part.weight * (1 - move.share))]
    changed = part
    if move.means is Means.TIER and move.to is not None:
        changed = part._replace(spend=replace(part.spend, model=move.to, region=""))
    elif move.means is Means.CACHING and part.spend.model == move.model:
        changed = part._replace(usage=_cached(part.usage, move))
    elif move.means is Means.BATCH:
        changed = part._replace(spend=replace(part.spend, processing="batch"))
    before, after = (prices.cost(one.spend, usage=one.usage) for one in (part, changed))
    if before is None or after is None or after >= before:
        return [part]
    if move.means is not Means.TIER:
        return [changed]
    stays, goes = part.weight * (1 - move.share), part.weight * move.share
    return [part._replace(weight=stays), changed._replace(weight=goes)]


def _cached(usage: Usage, move: Move) -> Usage:
    """The usage with the move's share of its input read from a cache, and what that takes written to it."""
    plain = uncached(usage)
    if not move.share:
        return plain
    room = plain.input_tokens - plain.input_audio_tokens - plain.input_image_tokens - plain.input_video_tokens
    read = min(int(plain.input_tokens * move.share), room)
    written = min(int(read / move.reads_per_write), room - read)
    return msgspec.structs.replace(plain, cache_read_tokens=read, cache_write_5m_tokens=written)


def _cost(parts: Sequence[_Part], prices: Prices) -> Fraction:
    # A part is only ever changed into one that has a price.
    return sum((part.weight * (prices.cost(part.spend, usage=part.usage) or 0) for part in parts), Fraction(0))
