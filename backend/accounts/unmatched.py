"""Payments that are ours and fit no deal: listed with what is known, and attached by a person."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens import calling
from backend.clock import as_datetime
from backend.errors import DealNotFound, FieldInvalid, NotConnected, PaymentNotFound
from backend.facts import Fact
from backend.kommo_api.errors import KommoError
from backend.ledger.book import absorb
from backend.models import Audit, Deal, LedgerEntry, LedgerLink, PaymentRequest, StripeConnection
from backend.money import major
from backend.resources import Resources
from backend.wakeups import mark_dirty


async def unmatched(resources: Resources) -> list[dict[str, Any]]:
    """Newest first. ``suggestions``: deals that somebody named, though not surely enough."""
    async with resources.database.read() as session:
        found = await session.exec(
            select(LedgerEntry, Deal)
            .join(
                Deal,
                (col(Deal.account_id) == LedgerEntry.account_id) & (col(Deal.lead_id) == LedgerEntry.lead_id),
                isouter=True,
            )
            .where(LedgerEntry.kind == "payment", col(LedgerEntry.ours).is_(True))
        )
        rows = [
            await _shown(session, entry)
            for entry, deal in found.all()
            if "received" in entry.facts and (entry.lead_id is None or (deal is not None and deal.state == "gone"))
        ]
    return sorted(rows, key=lambda row: str(row["paid_at"]), reverse=True)


async def _shown(session: AsyncSession, entry: LedgerEntry) -> dict[str, Any]:
    _, amount, currency = entry.facts["received"]
    return {
        "id": entry.id,
        "account_id": entry.account_id,
        "amount": major(amount, currency),
        "currency": currency,
        "paid_at": as_datetime(entry.facts["paid_at"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lead_id": entry.lead_id,
        "suggestions": await _suggestions(session, entry),
    }


async def _suggestions(session: AsyncSession, entry: LedgerEntry) -> list[int]:
    """The deals that a bare reference of the payment's sessions names."""
    found = await session.exec(
        select(LedgerEntry)
        .join(LedgerLink, col(LedgerLink.parent) == LedgerEntry.id)
        .where(
            LedgerLink.connection_id == entry.connection_id,
            LedgerEntry.connection_id == entry.connection_id,
            LedgerLink.child == entry.id,
        )
    )
    named = {parent.facts["bare_lead"] for parent in found.all() if "bare_lead" in parent.facts}
    return sorted(named - {entry.lead_id})


async def attach(resources: Resources, payment_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """``{"account_id", "lead_id"}``: a person says whose it is; the latest word counts, over everything else.

    A request whose deal is gone moves along, so that its old link pays the new deal.
    """
    account_id, lead_id = given.get("account_id"), given.get("lead_id")
    for name, value in (("account_id", account_id), ("lead_id", lead_id)):
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise FieldInvalid(f"{name} is a number that Kommo gave.", field=name)
    await _check_deal(resources, int(account_id or 0), int(lead_id or 0))
    now = resources.clock()
    async with resources.database.write() as session:
        entry = await _payment(session, payment_id, int(account_id or 0))
        await _move_request(session, entry, int(lead_id or 0))
        connection = await session.get_one(StripeConnection, entry.connection_id)
        word = int(entry.facts.get("attached", [0, 0])[0]) + 1
        absorbed = await absorb(session, connection, [Fact(payment_id, "attached", [word, lead_id])])
        await mark_dirty(session, int(account_id or 0), absorbed.deals | {int(lead_id or 0)}, now)
        after = {"payment": payment_id, "lead_id": lead_id}
        session.add(Audit(at=now, account_id=account_id, who="admin", what="payment attached", after=after))
    resources.work_arrived.set()
    return {"id": payment_id, "account_id": account_id, "lead_id": lead_id}


async def _check_deal(resources: Resources, account_id: int, lead_id: int) -> None:
    """The deal must exist; where Kommo can't be asked, the writer finds out."""
    try:
        lead = await calling(resources, account_id, lambda api: api.lead(lead_id, contacts=False))
    except (KommoError, NotConnected):
        return
    if lead is None:
        raise DealNotFound("Kommo has no such deal in this account.")


async def _payment(session: AsyncSession, payment_id: str, account_id: int) -> LedgerEntry:
    found = await session.exec(
        select(LedgerEntry).where(
            LedgerEntry.id == payment_id, LedgerEntry.account_id == account_id, LedgerEntry.kind == "payment"
        )
    )
    entry = found.first()
    if entry is None or "received" not in entry.facts:
        raise PaymentNotFound(f"No payment {payment_id[:60]!r} is known in this account.")
    return entry


async def _move_request(session: AsyncSession, entry: LedgerEntry, lead_id: int) -> None:
    if not entry.request_id:
        return
    request = await session.get(PaymentRequest, (entry.account_id, entry.request_id))
    deal = await session.get(Deal, (entry.account_id, request.lead_id)) if request else None
    if request is not None and deal is not None and deal.state == "gone":
        request.lead_id = lead_id
        session.add(request)
