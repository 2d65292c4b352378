"""Whether an entry still counts: the deal is in the stage, is open, and entered recently."""

from collections.abc import Sequence

from backend.automation.rules.entry import UNKNOWN, entered, is_our_own, is_repeated
from backend.automation.rules.outcomes import Outcome
from backend.automation.rules.store import Case, entries_of, our_writes
from backend.kommo_api.values import LOST, WON, Lead, StageChange
from backend.resources import Resources
from backend.storage.models import StageEntry
from backend.work_queue.leases import Claim

HOUR = 3600.0
EARLY_SECONDS = 300.0
"""How far a hook's time may be ahead of our clock."""
OTHER_SECONDS = 2 * HOUR
"""An untimed entry that comes this long after the first is hardly the same hook repeated."""


async def checked(
    resources: Resources, claim: Claim, case: Case, lead: Lead | None, changes: Sequence[StageChange] | None
) -> float | Outcome | None:
    """Return the time (epoch seconds) at which the deal entered, the outcome if nothing is to be done, or None if the
    time is not known yet.
    """
    entry = case.entry
    gone = _gone(entry, lead)
    if gone or lead is None:
        return gone
    at = entry.entered_at if entry.state == "decided" else entered(entry, lead, changes).at
    if at is None:
        return None
    async with resources.database.read() as session:
        others = await entries_of(session, claim.account_id, lead.id)
        writes = await our_writes(session, claim.account_id, lead.id)
    entry.entered_at = at
    if entry.status_id is not None and is_our_own(lead, at, entry.received_at, writes):
        return Outcome("own_move")
    if is_repeated(entry, at, others):
        return _repeated(entry, at, others)
    return _late(case, at, resources.clock()) or at


def _gone(entry: StageEntry, lead: Lead | None) -> Outcome | None:
    if lead is None:
        return Outcome("gone")
    if lead.status_id in (WON, LOST):
        return Outcome("closed")
    stage = (entry.pipeline_id, entry.status_id)
    return Outcome("left") if entry.status_id and stage != (lead.pipeline_id, lead.status_id) else None


def _repeated(entry: StageEntry, at: float, others: Sequence[StageEntry]) -> Outcome:
    """Return the outcome of a repeated entry; an untimed one that comes hours after the first is left to a user."""
    first = min(other.received_at for other in others if other.root_id == entry.root_id)
    unclear = at == UNKNOWN and entry.received_at - first > OTHER_SECONDS
    return Outcome("unclear_entry") if unclear else Outcome("repeated")


def _late(case: Case, at: float, now: float) -> Outcome | None:
    """Return the outcome of an entry that is too old; if we were late, a user gets a task."""
    since = case.entry.received_at if at == UNKNOWN else at
    limit = case.settings.hours * HOUR
    if since > now + EARLY_SECONDS:
        return Outcome("late")
    if now - since <= limit:
        return None
    return Outcome("too_late") if case.entry.received_at - since <= limit else Outcome("late")
