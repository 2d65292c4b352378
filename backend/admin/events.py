"""Replaying an account's events."""

from backend.core.errors import Conflict
from backend.core.ids import usable_id
from backend.core.sentences.said import said
from backend.inbox.replay import replay_all, replayable
from backend.inbox.store import replay
from backend.resources import Resources
from backend.storage.models import Audit


async def work_in_again(resources: Resources, account_id: int, event_id: str, *, who: str) -> int:
    """Replay this event of the account, or all that were given up if the id is ''. Returns their number.

    Raises ``Conflict`` if there is none.
    """
    if not event_id:
        return await _all_given_up(resources, account_id, who)
    async with resources.database.write() as session:
        count = await replay(session, [event_id], account_id=account_id) if usable_id(event_id) else 0
        if not count:
            raise Conflict(said("event_gone"))
        session.add(_entry(resources, account_id, event_id, count, who))
    resources.work_arrived.set()
    return count


async def _all_given_up(resources: Resources, account_id: int, who: str) -> int:
    """Replay them in portions: an outage of weeks may leave a hundred thousand. The audit entry is stored first, with
    their number at that time, so that an interrupted replay is in the log."""
    count = await replayable(resources, state="dead", account_id=account_id)
    if not count:
        raise Conflict(said("event_gone"))
    async with resources.database.write() as session:
        session.add(_entry(resources, account_id, "all given up", count, who))
    return await replay_all(resources, state="dead", account_id=account_id)


def _entry(resources: Resources, account_id: int, event: str, count: int, who: str) -> Audit:
    after = {"event": event, "count": count}
    return Audit(at=resources.clock(), account_id=account_id, who=who, what="events again", after=after)
