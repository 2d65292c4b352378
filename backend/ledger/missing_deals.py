"""React to a deal that does not exist in Kommo: note the reason in the inbox, withdraw trust in bare references."""

from collections.abc import Iterable

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.sentences.said import said
from backend.storage.models import Deal, InboxEvent, LedgerEntry, StripeConnection


async def deal_is_missing(session: AsyncSession, account_id: int, lead_id: int) -> None:
    """Record in the inbox that a deal is missing, and withdraw the trust in bare references that named it.

    Call it in the unit of work that marks the deal as gone, before the mark. If a bare ``client_reference_id`` named a
    deal that never existed, its connection's policy becomes "suggest". A deal that we once wrote to and that vanished
    later is no evidence against its connection.
    """
    entries = list(
        (
            await session.exec(
                select(LedgerEntry).where(LedgerEntry.account_id == account_id, LedgerEntry.lead_id == lead_id)
            )
        ).all()
    )
    await _name_events(session, entries, said("event_names_missing_deal", id=str(lead_id)))
    deal = await session.get(Deal, (account_id, lead_id))
    if deal is None or not deal.written:
        await _distrust(session, {entry.connection_id for entry in entries if "bare_lead" in entry.facts}, lead_id)


async def _name_events(session: AsyncSession, entries: Iterable[LedgerEntry], reason: str) -> None:
    for entry in entries:
        named = entry.facts.get("events", [])
        if named:
            await session.exec(
                update(InboxEvent)
                .where(
                    col(InboxEvent.connection_id) == entry.connection_id,
                    col(InboxEvent.id).in_(named),
                    col(InboxEvent.state) == "done",
                )
                .values(error=reason)
            )


async def _distrust(session: AsyncSession, connections: Iterable[str], lead_id: int) -> None:
    await session.exec(
        update(StripeConnection)
        .where(col(StripeConnection.id).in_(sorted(connections)), col(StripeConnection.reference_policy) == "trust")
        .values(reference_policy="suggest", problem=said("bare_reference_distrusted", lead_id=str(lead_id)))
    )
