"""Whether a deal moves: forward once, never back, never out of won or lost, never again after a person moved it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.core.sentences.said import said
from backend.deal_sync.desired.render import StageGoal

WON, LOST = 142, 143
INCOMING_TYPE = 1
TEST_TAG = "stripe-test"


@dataclass(frozen=True, slots=True)
class DealNow:
    """The deal's stage and tags, as just fetched."""

    pipeline_id: int
    status_id: int
    tags: Collection[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """``status_id`` is the target, or None with the reason why the deal stays.

    ``offered``: the status that a person may choose nevertheless, or None.
    """

    status_id: int | None
    reason: str = ""
    offered: int | None = None


def decide(
    goal: StageGoal,
    now: DealNow,
    *,
    rules: Mapping[str, Any],
    pipelines: Sequence[Mapping[str, Any]],
    last_written: tuple[int, int] | None,
    test: bool,
) -> Decision:
    """The decision about one earned move.

    ``rules``: pipeline id as text → {first, paid}: status id; ``last_written``: the (pipeline, status) of our last
    move, or None. Test money moves only deals with the tag ``stripe-test``.
    """
    if test and TEST_TAG not in now.tags:
        return Decision(None, said("stays_untagged", tag=TEST_TAG))
    if now.status_id in (WON, LOST):
        return Decision(None, said("stays_closed"))
    if last_written is not None and last_written != (now.pipeline_id, now.status_id):
        return Decision(None, said("stays_moved_since"))
    target = (rules.get(str(now.pipeline_id)) or {}).get(goal.kind)
    if target is None:
        return Decision(None, said("stays_no_stage"))
    decided = _forward(target, now, pipelines)
    if goal.held and decided.status_id is not None:
        return Decision(None, goal.held, offered=decided.status_id)
    return decided


def lacking_tag(rules: Mapping[str, Any], pipeline_id: int, tags: Sequence[str]) -> str | None:
    """The tag without which test money does not move this deal; None where it has it, or no stage is chosen."""
    rule = rules.get(str(pipeline_id)) or {}
    return TEST_TAG if TEST_TAG not in tags and (rule.get("first") or rule.get("paid")) else None


def _forward(target: int, now: DealNow, pipelines: Sequence[Mapping[str, Any]]) -> Decision:
    order = sort_order(pipelines, now.pipeline_id)
    if target not in order:
        return Decision(None, said("stays_stage_gone"))
    if order[target] <= order.get(now.status_id, -1):
        return Decision(None, said("stays_at_or_past"))
    return Decision(target)


def sort_order(pipelines: Sequence[Mapping[str, Any]], pipeline_id: int) -> dict[int, int]:
    """Status id → position in the pipeline; won and lost come last, whatever number Kommo gives them."""
    statuses: list[dict[str, Any]] = next((p["statuses"] for p in pipelines if p["id"] == pipeline_id), [])
    return {s["id"]: s["sort"] + (1_000_000 if s["id"] in (WON, LOST) else 0) for s in statuses}


def is_incoming(pipelines: Sequence[Mapping[str, Any]], pipeline_id: int, status_id: int) -> bool:
    """True for a stage of *Incoming leads* (type 1, docs/facts/kommo-api.md 10). Any PATCH accepts such a deal, so it
    is only written once money came."""
    statuses: list[dict[str, Any]] = next((p["statuses"] for p in pipelines if p["id"] == pipeline_id), [])
    return any(s["id"] == status_id and s.get("type") == INCOMING_TYPE for s in statuses)
