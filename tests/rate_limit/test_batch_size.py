"""How many deals go into one call to Kommo."""

import pytest

from backend.rate_limit.batch_size import GOOD, Sizes

ACCOUNT, OTHER = 1, 2


@pytest.fixture
def sizes() -> Sizes:
    return Sizes(50)


def test_after_an_answer_that_did_not_come_in_time_half_as_many_go(sizes: Sizes) -> None:
    sizes.shrink(ACCOUNT, 50)
    assert (sizes.of(ACCOUNT), sizes.of(OTHER)) == (25, 50)


def test_batches_that_were_under_way_together_count_once(sizes: Sizes) -> None:
    for _ in range(3):
        sizes.shrink(ACCOUNT, 50)
    assert sizes.of(ACCOUNT) == 25


def test_a_lone_deal_that_got_no_answer_says_nothing_of_many(sizes: Sizes) -> None:
    sizes.shrink(ACCOUNT, 1)
    assert sizes.of(ACCOUNT) == 50


def test_one_deal_always_goes(sizes: Sizes) -> None:
    for count in (50, 25, 12, 6, 3, 1, 1):
        sizes.shrink(ACCOUNT, count)
    assert sizes.of(ACCOUNT) == 1


def test_when_all_goes_well_again_more_is_tried(sizes: Sizes) -> None:
    sizes.shrink(ACCOUNT, 50)
    for _ in range(GOOD - 1):
        sizes.grow(ACCOUNT)
    assert sizes.of(ACCOUNT) == 25
    for _ in range(1 + GOOD):
        sizes.grow(ACCOUNT)
    assert sizes.of(ACCOUNT) == 50
