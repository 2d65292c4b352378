"""What waits for a worker, in numbers an operator understands."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select

from backend.accounts.options import options_of
from backend.inbox.store import is_waiting
from backend.resources import Resources
from backend.storage.models import Account, Deal, InboxEvent, Sending, StripeConnection


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events that are not worked in, deals to be written to Kommo, messages that are due; of connected accounts that
    are not in shadow mode."""

    events: int
    deals: int
    messages: int

    def __str__(self) -> str:
        found = {"event": self.events, "deal": self.deals, "message": self.messages}
        return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in found.items() if count)


async def what_waits(resources: Resources) -> Waiting:
    """What the next run has to do; what is being done by another process is counted too."""
    events = (
        select(func.count())
        .select_from(InboxEvent)
        .join(StripeConnection, col(StripeConnection.id) == InboxEvent.connection_id)
        .where(is_waiting(), col(StripeConnection.account_id).is_not(None))
    )
    async with resources.database.read() as session:
        accounts = (await session.exec(select(Account).where(Account.state == "connected"))).all()
        written = [account.id for account in accounts if not options_of(account).shadow]
        dirty = (Deal.written < Deal.wanted, col(Deal.account_id).in_(written))
        due = (col(Sending.due_at) <= resources.clock(), col(Sending.account_id).in_(written))
        deals, messages = (select(func.count()).select_from(one) for one in (Deal, Sending))
        counts = (events, deals.where(*dirty), messages.where(*due))
        return Waiting(*[(await session.exec(one)).one() for one in counts])
