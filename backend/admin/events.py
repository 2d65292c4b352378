"""Replaying an account's events."""

from backend.core.errors import Conflict
from backend.core.ids import usable_id
from backend.core.sentences.said import said
from backend.inbox.store import replay
from backend.resources import Resources
from backend.storage.models import Audit


async def work_in_again(resources: Resources, account_id: int, event_id: str, *, who: str) -> int:
    """Replay this event of the account, or all that were given up if the id is ''. Returns their number.

    Raises ``Conflict`` if there is none.
    """
    async with resources.database.write() as session:
        if event_id:
            count = await replay(session, [event_id], account_id=account_id) if usable_id(event_id) else 0
        else:
            count = await replay(session, state="dead", account_id=account_id)
        if not count:
            raise Conflict(said("event_gone"))
        after = {"event": event_id or "all given up", "count": count}
        session.add(Audit(at=resources.clock(), account_id=account_id, who=who, what="events again", after=after))
    resources.work_arrived.set()
    return count
