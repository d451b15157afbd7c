"""What was saved, to the cent: each rung of the ladder alone, and together without counting anything twice."""

from kernel.usage import Usage
from margins.savings.saved import Means, Saving, savings
from tests.margins.savings.price_list import CENT, CHAT, DOCUMENT, DOLLAR, PRICES, SMALL, UNKNOWN, spend

MILLION = 1_000_000


def saved(*spends: object) -> dict[tuple[Means, str], int]:
    found = savings(list(spends), PRICES)  # type: ignore[arg-type]
    return {(one.means, one.model.key): one.saved_nanousd for one in found}


def test_a_cache_read_saves_ninety_per_cent_and_a_write_costs_a_quarter_more() -> None:
    """A million in: 100k written (+$0.25), 600k read (−$5.40): $10 becomes $4.85."""
    cached = spend(usage=Usage(input_tokens=MILLION, cache_write_5m_tokens=100_000, cache_read_tokens=600_000))
    assert cached.cost_nanousd == 485 * CENT
    assert saved(cached) == {(Means.CACHING, "large"): 515 * CENT}


def test_a_cache_nobody_reads_is_a_negative_saving() -> None:
    """200k written for an hour at twice the price and never read: −$2."""
    wasted = spend(usage=Usage(input_tokens=MILLION, cache_write_5m_tokens=0, cache_write_1h_tokens=200_000))
    assert saved(wasted) == {(Means.CACHING, "large"): -2 * DOLLAR}


def test_a_batch_saves_half_of_what_the_call_would_have_cost_at_once() -> None:
    assert saved(spend(processing="batch")) == {(Means.BATCH, "large"): 5 * DOLLAR}


def test_a_cheaper_tier_saves_what_the_tasks_dearest_model_would_have_cost() -> None:
    """$1 on the small model instead of $10: the large one answers the task's other calls."""
    found = savings([spend(), spend(model=SMALL, calls=300)], PRICES)
    assert found == [Saving(Means.TIER, CHAT, SMALL, 300, 9 * DOLLAR, instead="large")]
    assert saved(spend(model=SMALL)) == {}, "where no dearer tier is used, nothing was routed"
    assert saved(spend(), spend(task=DOCUMENT, model=SMALL)) == {}, "another task's models are no measure"


def test_a_batch_on_the_small_model_with_a_cache_counts_every_dollar_once() -> None:
    """A million in, 800k of it read, in a batch on the small model: (0.2 × 1 + 0.8 × 0.5) ÷ 2 = $0.30.

    On the large model at once and uncached it is $10. Tier: 10 − 1 = 9. Caching: 1 − 0.60 = 0.40. Batch: 0.30.
    """
    all_of_it = spend(model=SMALL, processing="batch", usage=Usage(input_tokens=MILLION, cache_read_tokens=800_000))
    assert all_of_it.cost_nanousd == 30 * CENT
    found = saved(spend(), all_of_it)
    assert found == {
        (Means.TIER, "small"): 9 * DOLLAR,
        (Means.CACHING, "small"): 40 * CENT,
        (Means.BATCH, "small"): 30 * CENT,
    }
    assert sum(found.values()) == 10 * DOLLAR - all_of_it.cost_nanousd


def test_an_answer_at_hand_saves_what_such_a_call_costs() -> None:
    """A hundred calls cost $10: 30 answers from the cache saved $3. On a model never called, the task's average."""
    at_hand = spend(memoised=True, calls=30, usage=Usage())
    assert saved(spend(), at_hand) == {(Means.MEMOISED, "large"): 3 * DOLLAR}
    elsewhere = spend(memoised=True, calls=30, model=UNKNOWN, usage=Usage())
    assert saved(spend(), elsewhere) == {(Means.MEMOISED, "unheard-of"): 3 * DOLLAR}
    assert saved(at_hand) == {}, "with nothing to compare to, nothing is claimed"


def test_what_nobody_has_a_price_for_saves_nothing_anybody_knows() -> None:
    assert saved(spend(model=UNKNOWN)) == {}
