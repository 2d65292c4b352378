"""Preview of a replay: the event's facts are merged with the known ones, and nothing is stored."""

from dataclasses import dataclass

from sqlmodel import col, select

from backend.accounts.stripe.connections import connections_of
from backend.core.ids import usable_id
from backend.core.sentences.said import said
from backend.facts import by_subject, merge
from backend.inbox.process import understood_facts
from backend.ledger.absorb import LedgerBatch
from backend.ledger.ownership import under_policy
from backend.resources import Resources
from backend.storage.models import InboxEvent, LedgerEntry
from backend.stripe_api.events import BadEvent


@dataclass(frozen=True, slots=True)
class Change:
    """An object at Stripe whose known facts would change; ``facts``: names of the changed facts."""

    subject: str
    lead_id: int | None
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventPreview:
    """``problem``: why the event can't be replayed, '' if it can; then ``changes``, empty if all facts are known."""

    event: InboxEvent
    problem: str = ""
    changes: tuple[Change, ...] = ()


async def preview_event(resources: Resources, account_id: int, event_id: str) -> EventPreview | None:
    """Return the preview of a replay, which changes nothing; None if the account has no such event."""
    if not usable_id(event_id):
        return None
    async with resources.database.read() as session:
        connections = {one.id: one for one in await connections_of(session, account_id)}
        mine = (col(InboxEvent.connection_id).in_(connections), InboxEvent.id == event_id)
        event = (await session.exec(select(InboxEvent).where(*mine))).first()
        if event is None:
            return None
        if event.body is None:
            return EventPreview(event, said("event_not_kept"))
        try:
            facts = understood_facts(resources.vault, event, account_id)
        except BadEvent as error:
            return EventPreview(event, str(error))
        told = under_policy(by_subject(facts), connections[event.connection_id].reference_policy)
        batch = LedgerBatch(session, event.connection_id, account_id)
        await batch.fetch(told)
        changes = [_change(batch.entries[subject], dict(known)) for subject, known in sorted(told.items())]
    return EventPreview(event, changes=tuple(one for one in changes if one.facts))


def _change(entry: LedgerEntry, known: dict[str, object]) -> Change:
    merged = merge(entry.facts, known)
    differ = [name for name in merged if merged[name] != entry.facts.get(name) and name != "events"]
    return Change(entry.id, entry.lead_id, tuple(sorted(differ)))
