"""The rule for stored moments, in Python and in SQL."""

import pytest
from sqlalchemy import create_engine, literal, select

from backend.core.clock import SKEW_SECONDS, lies_ahead

NOW, LONGEST = 1_800_000_000.0, 30.0
MOMENTS = [
    (NOW - 1, False),
    (NOW, False),
    (NOW + 1, True),
    (NOW + LONGEST, True),
    (NOW + LONGEST + SKEW_SECONDS + 1, False),
    (NOW + 3 * 3600, False),
]


@pytest.mark.parametrize(("moment", "ahead"), MOMENTS)
def test_a_moment_farther_ahead_than_the_longest_counts_as_past(moment: float, ahead: bool) -> None:
    assert lies_ahead(moment, NOW, LONGEST) is ahead
    with create_engine("sqlite://").connect() as connection:
        assert bool(connection.execute(select(lies_ahead(literal(moment), NOW, LONGEST))).scalar()) is ahead
