"""What would have been saved: each move by hand, and all of them without counting a dollar twice."""

from fractions import Fraction
from random import Random

from kernel.usage import Usage
from margins.savings.advice import Advice, advise
from margins.savings.caching import cache_uses
from margins.savings.saved import Means, dearest_models, savings
from margins.savings.spend import Spend, uncached
from tests.margins.savings.price_list import CENT, CHAT, DOCUMENT, DOLLAR, LARGE, PRICES, SMALL, UNKNOWN, spend

MILLION = 1_000_000


def advice(*spends: Spend) -> dict[Means, Advice]:
    found = advise(spends, cache_uses(spends, PRICES), PRICES)
    assert sum(one.together_nanousd for one in found) <= sum(each.cost_nanousd for each in spends)
    return {one.move.means: one for one in found}


def test_what_runs_in_batches_elsewhere_in_the_task_can_wait_too() -> None:
    found = advice(spend(processing="batch", calls=25), spend(calls=75))
    assert set(found) == {Means.BATCH}
    batch = found[Means.BATCH]
    assert (batch.calls, batch.cost_nanousd, batch.together_nanousd) == (75, 10 * DOLLAR, 5 * DOLLAR)
    assert "25.0 % of these calls run in batches already" in batch.move.assumption
    assert Means.BATCH not in advice(spend(processing="batch", task=DOCUMENT), spend()), "of that task alone"


def test_cheaper_tiers_could_answer_as_large_a_share_as_they_do() -> None:
    """60 of 100 calls are on the small model: of the large one's $10, 60 % at a tenth: 6 − 0.60 = $5.40 saved."""
    tier = advice(spend(model=SMALL, calls=60), spend(calls=40))[Means.TIER]
    assert (tier.move.to, tier.move.share) == (SMALL, Fraction(3, 5))
    assert (tier.calls, tier.together_nanousd) == (40, 540 * CENT)


def test_a_family_could_be_cached_as_its_best_sibling_is() -> None:
    """The small model reads half its input from the cache; the large one nothing. 500k read at $1 instead of $10 saves
    4.50, writing 100k of them (each read five times) costs 0.25: $4.25.
    """
    sibling = spend(model=SMALL, calls=19, usage=Usage(input_tokens=MILLION, cache_read_tokens=500_000))
    assert Means.CACHING not in advice(sibling, spend()), "too few calls to go by"
    sibling = spend(model=SMALL, calls=20, usage=Usage(input_tokens=MILLION, cache_read_tokens=500_000))
    caching = advice(sibling, spend(calls=10**9))[Means.CACHING]
    assert caching.move.model == LARGE
    assert caching.alone_nanousd == 425 * CENT


def test_a_cache_that_loses_is_to_be_left() -> None:
    wasted = spend(usage=Usage(input_tokens=MILLION, cache_write_5m_tokens=400_000, cache_read_tokens=100_000))
    caching = advice(wasted)[Means.CACHING]
    # +25 % on 400k is $1.00 and −90 % of 100k is $0.90.
    assert caching.together_nanousd == 10 * CENT
    assert "do not cache them" in caching.move.assumption


def test_repeats_are_as_frequent_as_where_they_are_least() -> None:
    at_hand = spend(task=DOCUMENT, memoised=True, calls=25, usage=Usage())
    memoised = advice(at_hand, spend(task=DOCUMENT, calls=75), spend())[Means.MEMOISED]
    assert (memoised.move.task, memoised.move.share) == (CHAT, Fraction(1, 4))
    assert memoised.together_nanousd == 250 * CENT


def test_together_each_is_taken_of_what_the_others_leave() -> None:
    """The large model's 80 calls cost $10; half the task is small, a fifth runs in batches, elsewhere a quarter is at
    hand. Alone: 2.50 at hand, half of the rest at a tenth 4.50, batch 5.00: more than there is. Together: 10 → 7.50 →
    3.75 + 0.375 = 4.125 → halved, 2.0625.
    """
    spends = (
        spend(task=DOCUMENT, memoised=True, calls=25, usage=Usage()),
        spend(task=DOCUMENT, calls=75),
        spend(calls=80),
        spend(model=SMALL, calls=80, usage=Usage()),
        spend(model=LARGE, processing="batch", calls=20, usage=Usage()),
        spend(model=SMALL, processing="batch", calls=20, usage=Usage()),
    )
    found = advice(*spends)
    alone = {means: one.alone_nanousd for means, one in found.items()}
    together = {means: one.together_nanousd for means, one in found.items()}
    assert alone == {Means.MEMOISED: 250 * CENT, Means.TIER: 450 * CENT, Means.BATCH: 500 * CENT}
    assert together == {Means.MEMOISED: 250 * CENT, Means.TIER: 3_375_000_000, Means.BATCH: 2_062_500_000}
    assert sum(alone.values()) > 10 * DOLLAR > sum(together.values())


def test_the_real_cost_is_scaled_and_not_the_list_price() -> None:
    """At a tenth off the list, a batch saves half of nine dollars."""
    found = advice(spend(processing="batch"), spend(cost_nanousd=9 * DOLLAR))
    assert found[Means.BATCH].together_nanousd == 450 * CENT


def test_calls_nobody_has_a_price_for_are_left_out() -> None:
    assert advice(spend(model=UNKNOWN), spend(model=UNKNOWN, processing="batch")) == {}


def test_whatever_was_called_no_dollar_is_counted_twice() -> None:
    """Random accounts: savings are the top of each call's ladder less its bottom, and advice at most what was spent."""
    random = Random(5)
    for _ in range(60):
        spends = [_any_spend(random) for _ in range(random.randrange(1, 9))]
        found = advise(spends, cache_uses(spends, PRICES), PRICES)
        spent = sum(one.cost_nanousd for one in spends)
        assert sum(one.together_nanousd for one in found) <= spent + len(found), "each is rounded once"
        assert all(one.together_nanousd <= one.alone_nanousd + 1 for one in found if one.move.means is Means.MEMOISED)
        dearest = dearest_models(spends)
        climbed = sum(
            (PRICES.cost(one, model=dearest[one.task], processing="standard", usage=uncached(one.usage)) or 0)
            - one.cost_nanousd
            for one in spends
            if not one.memoised
        )
        rungs = [one for one in savings(spends, PRICES) if one.means is not Means.MEMOISED]
        assert abs(sum(one.saved_nanousd for one in rungs) - climbed) <= len(rungs) + len(spends)


def _any_spend(random: Random) -> Spend:
    total = random.randrange(1, 10**6)
    read = random.randrange(total)
    usage = Usage(
        input_tokens=total,
        cache_read_tokens=read,
        cache_write_5m_tokens=random.randrange(total - read + 1),
        output_tokens=random.randrange(10**5),
    )
    return spend(
        task=random.choice([CHAT, DOCUMENT]),
        model=random.choice([LARGE, SMALL]),
        processing=random.choice(["", "standard", "batch"]),
        memoised=random.random() < 0.2,
        calls=random.randrange(1, 200),
        usage=usage,
    )
