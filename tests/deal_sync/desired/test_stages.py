"""When a deal moves, and when it is left alone."""

from typing import Any

import pytest

from backend.deal_sync.desired.render import StageGoal
from backend.deal_sync.desired.stages import DealNow, decide, is_incoming

PIPELINES = [
    {
        "id": 1,
        "statuses": [
            {"id": 10, "sort": 10, "type": 1},
            {"id": 11, "sort": 20, "type": 0},
            {"id": 12, "sort": 30, "type": 0},
            {"id": 13, "sort": 40, "type": 0},
            {"id": 142, "sort": 10000, "type": 0},
            {"id": 143, "sort": 11000, "type": 0},
        ],
    },
    {"id": 2, "statuses": [{"id": 21, "sort": 20, "type": 0}]},
]
RULES = {"1": {"first": 12, "paid": 13}}
PAID = StageGoal("paid", "paid:r1")


def _decide(status: int = 11, pipeline: int = 1, goal: StageGoal = PAID, **given: Any) -> int | None:
    known: dict[str, Any] = {
        "rules": RULES, "pipelines": PIPELINES, "last_written": None, "test": False,
    }  # fmt: skip
    tags = given.pop("tags", ())
    return decide(goal, DealNow(pipeline, status, tags), **(known | given)).status_id


def test_a_paid_deal_moves_forward() -> None:
    assert _decide() == 13


def test_the_first_money_has_a_stage_of_its_own() -> None:
    assert _decide(goal=StageGoal("first", "first:r1")) == 12


@pytest.mark.parametrize("status", [13, 142, 143])
def test_a_deal_at_or_past_the_target_or_closed_stays(status: int) -> None:
    assert _decide(status) is None


def test_won_can_be_the_target() -> None:
    assert _decide(rules={"1": {"paid": 142}}) == 142


def test_a_deal_in_a_pipeline_without_a_rule_stays() -> None:
    assert _decide(21, pipeline=2) is None


def test_a_move_that_is_held_is_offered_where_it_could_be_made() -> None:
    held = StageGoal("paid", "paid:r1", held="the money is old")
    assert _decide(goal=held) is None
    decision = decide(held, DealNow(1, 11, ()), rules=RULES, pipelines=PIPELINES, last_written=None, test=False)
    assert (decision.reason, decision.offered) == ("the money is old", 13)
    closed = decide(held, DealNow(1, 142, ()), rules=RULES, pipelines=PIPELINES, last_written=None, test=False)
    assert (closed.reason, closed.offered) == ("the deal is closed", None)


def test_a_person_who_moved_it_after_us_has_the_last_word() -> None:
    assert _decide(11, last_written=(1, 12)) is None


def test_a_deal_that_still_stands_where_we_put_it_moves_on() -> None:
    assert _decide(12, last_written=(1, 12)) == 13


def test_test_money_moves_only_tagged_deals() -> None:
    assert _decide(test=True) is None
    assert _decide(test=True, tags=("stripe-test",)) == 13


def test_an_incoming_lead_moves_like_any_other() -> None:
    assert is_incoming(PIPELINES, 1, 10)
    assert _decide(10) == 13
