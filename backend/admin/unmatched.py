"""Our payments without a deal, listed with what is known and the deals to which they may belong."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens.call import with_kommo
from backend.core.clock import as_datetime
from backend.core.errors import ProductError
from backend.core.money import major
from backend.facts import WHOLE_INVOICE_RANK
from backend.kommo_api.errors import KommoError
from backend.ledger.absorb import LedgerBatch
from backend.ledger.build import received_sum
from backend.ledger.entries import Entries
from backend.ledger.ownership import ancestry
from backend.resources import Resources
from backend.storage.models import Account, Deal, LedgerEntry, PaymentRequest

SUGGESTIONS = 5
ASKED = 20
"""Payments, newest first, for which Kommo is asked for the contact's deals: a person waits for the list."""


async def unmatched(resources: Resources, only: int | None = None) -> list[dict[str, Any]]:
    """Return unmatched payments as dicts, newest first, of all accounts or of ``only`` one.

    Keys: ``id``, ``account_id``, ``amount`` (text in major units), ``currency``, ``paid_at`` (ISO, UTC), ``lead_id``,
    ``problem``, and ``suggestions``: deals that were named without certainty, then other deals of the client.
    """
    async with resources.database.read() as session:
        entries = await _lost(session, only)
        entries.sort(key=lambda entry: (entry.facts["paid_at"], entry.id), reverse=True)
        rows = [await _shown(session, entry) for entry in entries]
        contacts = [await _contact(session, entry) for entry in entries]
    for row, contact_id in list(zip(rows, contacts, strict=True))[:ASKED]:
        more = await _deals_of(resources, row["account_id"], contact_id) if contact_id else []
        row["suggestions"] = _without(row["lead_id"], [*row["suggestions"], *more])
    return rows


async def count_unmatched(session: AsyncSession, account_id: int) -> int:
    """Return the number of payments that ``unmatched`` lists."""
    return len(await _lost(session, account_id))


async def _lost(session: AsyncSession, only: int | None) -> list[LedgerEntry]:
    """Return payments without a deal and those of a deleted deal, each found by an index and returned once, though
    two connections of one Stripe account may have heard of it."""
    accounts = [only] if only is not None else (await session.exec(select(Account.id))).all()
    found: list[LedgerEntry] = []
    for account_id in accounts:
        gone = select(Deal.lead_id).where(Deal.account_id == account_id, Deal.state == "gone")
        for nowhere in (col(LedgerEntry.lead_id).is_(None), col(LedgerEntry.lead_id).in_(gone)):
            mine = (
                LedgerEntry.account_id == account_id,
                LedgerEntry.kind == "payment",
                col(LedgerEntry.ours).is_(True),
            )
            found += (await session.exec(select(LedgerEntry).where(*mine, nowhere))).all()
    once = {(entry.account_id, entry.id): entry for entry in found if "received" in entry.facts}
    return [entry for entry in once.values() if (await _sum(session, entry))[0]]


async def _sum(session: AsyncSession, entry: LedgerEntry) -> tuple[int, str]:
    """Return (minor units, currency) of a payment; where only its invoice gives the amount, the other payments of the
    invoice are subtracted, and 0 means that they explain all of it."""
    rank, amount, currency = entry.facts["received"]
    if rank != WHOLE_INVOICE_RANK:
        return amount, currency
    batch = LedgerBatch(session, entry.connection_id, entry.account_id or 0)
    await batch.fetch([entry.id])
    invoices = entry.facts.get("invoice", ())
    sessions = {one for invoice in invoices for one in batch.book[invoice].get("session", ())}
    await batch.fetch(await batch.below({*invoices, *sessions}))
    return received_sum(entry, Entries(tuple(batch.entries.values())))


async def _shown(session: AsyncSession, entry: LedgerEntry) -> dict[str, Any]:
    amount, currency = await _sum(session, entry)
    batch = LedgerBatch(session, entry.connection_id, entry.account_id or 0)
    await batch.fetch([entry.id])
    line = [batch.book[one] for one in ancestry(entry.id, batch.book)]
    named = [known["lead"][1] for known in line if "lead" in known and "foreign" not in known]
    named += [known["snapshot"][1] for known in line if "snapshot" in known]
    named += [known["bare_lead"] for known in line if "bare_lead" in known]
    return {
        "id": entry.id,
        "account_id": entry.account_id,
        "amount": major(amount, currency),
        "currency": currency,
        "paid_at": as_datetime(entry.facts["paid_at"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lead_id": entry.lead_id,
        "problem": _problem(entry, {text for known in line for text in known.get("wrong", ())}),
        "suggestions": _without(entry.lead_id, named),
    }


def _problem(entry: LedgerEntry, wrong: Iterable[str]) -> str:
    if entry.lead_id is not None:
        return f"deal {entry.lead_id} does not exist in Kommo"
    return "; ".join(sorted(wrong)) or "no deal is named surely enough"


def _without(lead_id: int | None, leads: Iterable[int]) -> list[int]:
    return [one for one in dict.fromkeys(leads) if one != lead_id][:SUGGESTIONS]


async def _contact(session: AsyncSession, entry: LedgerEntry) -> int | None:
    if not entry.request_id:
        return None
    request = await session.get(PaymentRequest, (entry.account_id, entry.request_id))
    return request.contact_id if request else None


async def _deals_of(resources: Resources, account_id: int, contact_id: int) -> list[int]:
    """Return the contact's deals, newest first; none if Kommo can't be asked."""
    with suppress(KommoError, ProductError):
        return await with_kommo(resources, account_id, lambda api: api.deals_of_contact(contact_id))
    return []
