"""Payments that a rep expects on this deal but that belong to another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.money import Money
from backend.ledger.deal import DealLedger, Request
from backend.storage.models import Audit, LedgerEntry, PaymentRequest
from backend.storage.models.accounts import ATTACHED

IS_ATTACHED = text(f"audit.{ATTACHED}")
"""The words of the partial index: an account has many entries of the writer."""
MOST_REQUESTS = 500
"""Requests of the same clients that are looked through."""
UNPAID = ("pending", "failed", "expired")
"""The states of a request that money elsewhere may explain."""


@dataclass(frozen=True)
class Elsewhere:
    """Money that belongs to another deal. ``lead_id``: its Kommo id; None if it was not recorded.

    ``paid``: the amount and time (epoch seconds) of a payment by the same client for what this deal asks for; None if a
    person moved a payment to that deal.
    """

    lead_id: int | None
    paid: tuple[Money, float] | None = None


async def paid_elsewhere(session: AsyncSession, account_id: int, lead_id: int, ledger: DealLedger) -> Elsewhere | None:
    """Return the deal to which this deal's payment was moved, or on which the same client paid
    the same amount; else None."""
    if ledger.emptied:
        return Elsewhere(await _moved_to(session, account_id, lead_id))
    unpaid = [request for request in ledger.requests if ledger.request_state(request) in UNPAID]
    return await _by_the_same_client(session, account_id, lead_id, unpaid) if unpaid else None


async def _moved_to(session: AsyncSession, account_id: int, lead_id: int) -> int | None:
    found = await session.exec(
        select(Audit.after)
        .where(
            Audit.account_id == account_id,
            IS_ATTACHED,
            col(Audit.before)["lead_id"].as_integer() == lead_id,
        )
        .order_by(col(Audit.id).desc())
        .limit(1)
    )
    after = found.first()
    return after["lead_id"] if after else None


async def _by_the_same_client(
    session: AsyncSession, account_id: int, lead_id: int, unpaid: Iterable[Request]
) -> Elsewhere | None:
    """Return the latest payment of the same amount by the same contact for another deal, made after our request."""
    ids = [request.id for request in unpaid]
    rows = await session.exec(
        select(PaymentRequest).where(PaymentRequest.account_id == account_id, col(PaymentRequest.id).in_(ids))
    )
    mine = [row for row in rows.all() if row.contact_id]
    if not mine:
        return None
    others = await _paid_by(session, {row.contact_id for row in mine}, account_id, lead_id)
    paid = [entry for entry, contact_id in others if any(_pays(entry, contact_id, row) for row in mine)]
    latest = max(paid, key=lambda entry: (entry.facts["paid_at"], entry.id), default=None)
    if latest is None:
        return None
    _, amount, currency = latest.facts["received"]
    return Elsewhere(latest.lead_id, (Money(amount, currency), latest.facts["paid_at"]))


async def _paid_by(
    session: AsyncSession, contacts: set[int | None], account_id: int, lead_id: int
) -> list[tuple[LedgerEntry, int | None]]:
    """Return the payments of these contacts' newest requests on other deals, each with its contact.

    In two queries: joined, SQLite reads all payments of the account.
    """
    theirs = (PaymentRequest.account_id == account_id, col(PaymentRequest.contact_id).in_(contacts))
    newest = select(PaymentRequest).where(*theirs, PaymentRequest.lead_id != lead_id)
    found = await session.exec(newest.order_by(col(PaymentRequest.created_at).desc()).limit(MOST_REQUESTS))
    requests = {request.id: request for request in found.all()}
    paying = (LedgerEntry.account_id == account_id, col(LedgerEntry.request_id).in_(requests))
    entries = (await session.exec(select(LedgerEntry).where(*paying, LedgerEntry.kind == "payment"))).all()
    asked = [(entry, requests[entry.request_id or ""]) for entry in entries]
    return [(entry, request.contact_id) for entry, request in asked if entry.lead_id == request.lead_id]


def _pays(entry: LedgerEntry, contact_id: int | None, row: PaymentRequest) -> bool:
    _, amount, currency = entry.facts.get("received", (0, 0, ""))
    asked = (row.connection_id, row.contact_id, row.amount, row.currency)
    same = (entry.connection_id, contact_id, amount, currency) == asked
    return same and bool(entry.facts.get("paid_at", 0.0) >= floor(row.created_at))  # Stripe tells whole seconds
