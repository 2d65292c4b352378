"""The time at which a deal entered its stage, fixed once per entry: from Kommo's event feed, else from the hook."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.kommo_api.values import Lead, StageChange
from backend.storage.models import CardWrite, StageEntry

NEAR_SECONDS = 120.0
"""Two entries of a deal into a stage within this time are one, reported twice: feed and hook may differ by seconds."""
PATIENCE = 3
"""Reads of a feed that does not have the entry yet."""
UNKNOWN = 0.0
"""The time of an entry for which neither feed nor hook has one."""
_NAMES = uuid.UUID("5a0b7d0e-6a55-4d5c-8a3e-8f5b7c1f2d11")


@dataclass(frozen=True, slots=True)
class Entered:
    """``at``: epoch seconds; None: not known yet, read again."""

    at: float | None


def entered(entry: StageEntry, lead: Lead, changes: Sequence[StageChange] | None) -> Entered:
    """Return when the deal entered. ``changes``: the deal's changes in Kommo's feed; None if we may not read it."""
    told = UNKNOWN if entry.told_at is None else entry.told_at
    if entry.status_id is None or changes is None:
        return Entered(told)
    latest = max(changes, key=lambda one: one.at, default=None)
    if latest is not None and latest.stage in (None, (lead.pipeline_id, lead.status_id)):
        return Entered(latest.at)
    return Entered(told if entry.attempts >= PATIENCE else None)


def request_id(account_id: int, lead_id: int, root_id: str, at: float) -> str:
    """Return the request's uuid: the same for an entry, however often Kommo announces it. ``at``: epoch seconds."""
    return str(uuid.uuid5(_NAMES, f"{account_id}:{lead_id}:{root_id}:{int(at)}"))


def is_repeated(entry: StageEntry, at: float, others: Iterable[StageEntry]) -> bool:
    """Return whether this entry (``at``: epoch seconds) was processed before as another row.

    A move inside a stretched action is no new entry.
    """
    stage, same = (entry.pipeline_id, entry.status_id), (one for one in others if one.root_id == entry.root_id)
    before = [one for one in same if one.id != entry.id and one.entered_at is not None]
    if entry.inside and any(one.request_id for one in before):
        return True
    here = [one.entered_at or UNKNOWN for one in before if (one.pipeline_id, one.status_id) == stage]
    return any(abs(moment - at) <= NEAR_SECONDS for moment in here)


def is_our_own(lead: Lead, at: float, received_at: float, writes: Iterable[CardWrite]) -> bool:
    """Return whether we moved or created the deal, since our own writes request nothing. Both times: epoch seconds."""
    moment = received_at if at == UNKNOWN else at
    near = (one for one in writes if one.state != "intended" and abs(one.sent_at - moment) <= NEAR_SECONDS)
    return any(_made(write, lead) or _moved(write, lead) for write in near)


def _made(write: CardWrite, lead: Lead) -> bool:
    return write.kind == "deal" and write.kommo_id == lead.id


def _moved(write: CardWrite, lead: Lead) -> bool:
    to = (write.content.get("pipeline"), write.content.get("to"))
    return write.kind == "stage" and to == (lead.pipeline_id, lead.status_id)
