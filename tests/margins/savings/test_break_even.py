"""Break-evens by hand: prompt caches, small models, servers of one's own."""

from fractions import Fraction

import pytest

from kernel.usage import Usage
from margins.savings.caching import CacheUse, cache_uses
from margins.savings.hosting import Server, Verdict, thresholds
from margins.savings.tiers import task_tiers
from tests.margins.savings.price_list import CENT, CHAT, DOLLAR, LARGE, PRICES, SMALL, UNKNOWN, spend

MILLION = 1_000_000


def use(*, read: int, written: int = 0, model: object = LARGE) -> CacheUse:
    usage = Usage(input_tokens=MILLION, cache_read_tokens=read, cache_write_5m_tokens=written)
    (found,) = cache_uses([spend(model=model, usage=usage)], PRICES)
    return found


def test_a_quarter_more_to_write_and_ninety_per_cent_less_to_read_break_even_at_0_28_reads() -> None:
    found = use(read=0)
    assert (found.write_premium, found.read_discount) == (Fraction(1, 4), Fraction(9, 10))
    assert found.break_even == Fraction(5, 18)
    assert not found.is_used


def test_free_writes_and_half_price_reads_always_pay() -> None:
    found = use(read=400_000, model=SMALL)
    assert (found.write_premium, found.read_discount, found.break_even) == (0, Fraction(1, 2), 0)
    assert found.saved == 20 * CENT
    assert found.read_share == Fraction(2, 5)
    assert found.reads_per_write is None


@pytest.mark.parametrize(("written", "loses"), [(359_999, False), (360_000, False), (360_001, True)])
def test_the_break_even_is_exact(written: int, loses: bool) -> None:
    """100k tokens read back pay for 360k written: 100k × 9 = 360k × 2.5."""
    found = use(read=100_000, written=written)
    assert found.loses is loses
    assert found.reads_per_write is not None
    assert found.break_even is not None
    assert (found.reads_per_write < found.break_even) is loses


def test_losses_come_first_and_unpriced_families_not_at_all() -> None:
    wasted = Usage(input_tokens=MILLION, cache_write_5m_tokens=100_000)
    found = cache_uses([spend(model=SMALL), spend(usage=wasted), spend(model=UNKNOWN)], PRICES)
    assert [one.model for one in found] == [LARGE, SMALL]


def test_a_small_model_pays_while_fewer_than_nine_in_ten_of_its_answers_fail() -> None:
    """A large call costs $0.10 and the same on the small model $0.01: break-even at 90 % asked again."""
    (task,) = task_tiers(
        [
            spend(calls=100),
            spend(model=SMALL, calls=300),
            spend(model=UNKNOWN, calls=5),
            spend(memoised=True, calls=10),
        ],
        PRICES,
    )
    assert (task.task, task.calls, task.memoised, task.batched) == (CHAT, 415, 10, 0)
    assert task.by_tier == {"": 5, "economy": 300, "premium": 100}
    assert task.cheaper_share == Fraction(3, 4)
    assert (task.large_nanousd, task.small_nanousd) == (10 * CENT, CENT)
    assert task.break_even == Fraction(9, 10)


def test_a_task_on_one_tier_has_nothing_to_weigh() -> None:
    (task,) = task_tiers([spend(processing="batch")], PRICES)
    assert (task.cheaper_share, task.break_even, task.batched) == (0, None, 100)


def test_a_server_pays_from_the_tokens_its_rent_would_buy() -> None:
    """A server at $1,000 serves 2.592 billion tokens a month at 1,000 a second: $0.386 a million.

    The large model costs $10 a million, so its rent buys 100 million tokens. 90 million in 15 days are 180 million a
    month, $1,800: build. A tenth of it: buy. At $0.30 a million no server is cheaper.
    """
    server = Server(usd_per_month=1_000, tokens_per_second=1_000, busy_percent=100)
    assert server.tokens_per_month == 2_592_000_000
    (much,) = thresholds([spend(usage=Usage(input_tokens=90 * MILLION))], days=15, server=server)
    assert (much.tokens_per_month, much.nanousd_per_month) == (180 * MILLION, 1_800 * DOLLAR)
    assert (much.break_even_tokens, much.verdict) == (100 * MILLION, Verdict.BUILD)
    (little,) = thresholds([spend(usage=Usage(input_tokens=9 * MILLION))], days=15, server=server)
    assert (little.break_even_tokens, little.verdict) == (100 * MILLION, Verdict.BUY)
    cheap = spend(usage=Usage(input_tokens=10 * MILLION), cost_nanousd=3 * DOLLAR)
    (never,) = thresholds([cheap], days=30, server=server)
    assert (never.break_even_tokens, never.verdict) == (None, Verdict.NEVER)
