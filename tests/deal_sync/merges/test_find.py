"""The survivor of a merge, found from events that only name deals."""

from hypothesis import given
from hypothesis import strategies as st

from backend.deal_sync.merges.find import survivor_of
from backend.kommo_api.values import Merge


def _merges(*groups: set[int]) -> list[Merge]:
    return [Merge(float(at), frozenset(group)) for at, group in enumerate(groups)]


def test_the_living_deal_of_the_event_is_the_survivor() -> None:
    assert survivor_of(1, _merges({1, 2}), {2}) == 2
    assert survivor_of(1, _merges({1, 2, 3}), {3}) == 3


def test_a_chain_is_followed_to_the_one_that_lives() -> None:
    assert survivor_of(1, _merges({1, 2}, {2, 3}, {4, 3}), {3}) == 3


def test_what_was_merged_into_the_missing_deal_before_leads_nowhere() -> None:
    assert survivor_of(2, _merges({1, 2}), set()) is None
    assert survivor_of(2, _merges({1, 2}, {2, 3}), {3}) == 3


def test_two_living_deals_are_no_answer() -> None:
    assert survivor_of(1, _merges({1, 2}, {1, 3}), {2, 3}) is None
    assert survivor_of(1, [], {2}) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_whatever_is_merged_in_whatever_order_the_end_of_the_chain_is_found(pairs: list[tuple[int, int]]) -> None:
    """A model of Kommo: a deal that goes names the one that stays, and is never merged again."""
    into: dict[int, int] = {}
    groups: list[set[int]] = []
    for gone, stays in pairs:
        if gone != stays and not {gone, stays} & into.keys():
            into[gone] = stays
            groups.append({gone, stays})
    living = set(range(10)) - into.keys()
    for gone in into:
        end = gone
        while end in into:
            end = into[end]
        assert survivor_of(gone, _merges(*groups), living) == end
