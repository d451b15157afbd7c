"""The laws of the burn engine, over accounts Hypothesis makes."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entitlements.burndown import burn
from tests.properties import burndown_laws
from tests.properties.burndown_laws import Account, accounts


@pytest.mark.parametrize(
    "law",
    [
        burndown_laws.two_runs_equal_one,
        burndown_laws.the_same_inputs_give_the_same_result,
        burndown_laws.a_chain_of_runs_equals_one,
        burndown_laws.what_was_used_was_burned_or_is_overage,
        burndown_laws.late_events_leave_every_answer_consistent,
        burndown_laws.snapshots_never_change_an_answer,
        burndown_laws.nothing_is_lost_or_made_up,
        burndown_laws.no_balance_is_negative_or_above_its_grant,
        burndown_laws.it_agrees_with_the_plodding_engine,
    ],
    ids=lambda law: law.__name__,
)
def test_a_law_of_the_engine(law: Callable[[Account], None]) -> None:
    settings(max_examples=100, deadline=None)(given(accounts())(law))()


remaining = st.lists(st.integers(0, 10**15)).map(lambda amounts: list(enumerate(amounts)))


@given(remaining, st.integers(0, 10**16))
def test_burned_and_unpaid_add_up_to_what_was_asked(remaining: list[tuple[int, int]], amount: int) -> None:
    burned, unpaid = burn(remaining, amount)
    assert sum(piece for _, piece in burned) + unpaid == amount
    assert not unpaid or sum(piece for _, piece in burned) == sum(left for _, left in remaining)


@given(remaining, st.integers(0, 10**16))
def test_a_grant_pays_only_when_all_before_it_are_empty(remaining: list[tuple[int, int]], amount: int) -> None:
    burned = dict(burn(remaining, amount)[0])
    left = [before - burned.get(grant, 0) for grant, before in remaining]
    assert min(left, default=0) >= 0
    assert all(piece > 0 for piece in burned.values())
    if burned:
        assert not any(left[: max(burned)])
