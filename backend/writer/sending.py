"""How Kommo refuses: a whole request for one bad item. The good items go on without it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from backend.kommo_api.errors import KommoRefused
from backend.kommo_api.values import LeadChange

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass
class Outcome(Generic[Answer]):
    """What became of the items, by key: an answer, or the reason why Kommo does not take it."""

    done: dict[str, Answer]
    refused: dict[str, KommoRefused]


async def send(
    items: Mapping[str, Item], call: Callable[[Mapping[str, Item]], Awaitable[Mapping[str, Answer]]]
) -> Outcome[Answer]:
    """Call with all; when refused, without the items that the refusal names, or else by halves.

    Answers that leave an item out (Kommo's partial reading) make it go alone. Other errors are the caller's.
    """
    outcome: Outcome[Answer] = Outcome({}, {})
    waiting = [dict(items)] if items else []
    while waiting:
        batch = waiting.pop()
        try:
            answered = await call(batch)
        except KommoRefused as refusal:
            if len(batch) == 1:
                outcome.refused[next(iter(batch))] = refusal
            else:
                waiting += _parts(batch, refusal)
            continue
        outcome.done |= answered
        left_out = batch.keys() - answered.keys()
        if left_out and len(batch) == 1:
            outcome.refused[next(iter(batch))] = KommoRefused("Kommo did not confirm it", by_request={}, by_lead={})
        else:
            waiting += [{key: batch[key]} for key in sorted(left_out)]
    return outcome


def _parts(batch: Mapping[str, Item], refusal: KommoRefused) -> list[dict[str, Item]]:
    named = batch.keys() & ({*refusal.by_request} | {str(lead) for lead in refusal.by_lead})
    if not named or len(named) == len(batch):
        keys = sorted(batch)
        halves: Sequence[Sequence[str]] = (keys[: len(keys) // 2], keys[len(keys) // 2 :])
        return [{key: batch[key] for key in half} for half in halves]
    rest = {key: item for key, item in batch.items() if key not in named}
    return [*({key: batch[key]} for key in sorted(named)), rest]


def without_named(change: LeadChange, refusal: KommoRefused) -> LeadChange | None:
    """The change less what the refusal names (a field that a user removed, a stage that is gone); None if nothing
    can be left out or nothing is left."""
    paths = [error.path for errors in refusal.by_request.values() for error in errors]
    fields = list(change.fields)
    bad_fields = {fields[int(part)] for part in _field_positions(paths) if int(part) < len(fields)}
    bad_stage = any(path.startswith(("status_id", "pipeline_id")) for path in paths)
    if not bad_fields and not bad_stage:
        return None
    rest = replace(
        change,
        fields={key: value for key, value in change.fields.items() if key not in bad_fields},
        pipeline_id=None if bad_stage else change.pipeline_id,
        status_id=None if bad_stage else change.status_id,
    )
    return rest if rest.fields or rest.status_id else None


def _field_positions(paths: Sequence[str]) -> list[str]:
    parts = [path.split(".") for path in paths if path.startswith("custom_fields_values.")]
    return [part[1] for part in parts if len(part) > 1 and part[1].isdigit()]


def names_the_deal(refusal: KommoRefused) -> bool:
    """The deal itself is unknown or deleted: path ``id``, or inner code 226."""
    errors = [error for errors in refusal.by_request.values() for error in errors]
    return (
        any(error.path in ("id", "entity_id") or error.code == "226" for error in errors)
        or re.search(r"\b226\b", refusal.detail) is not None
    )
