"""A person attaches a payment to a deal, moves it to another one, or detaches it; this overrides every other
attribution.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import DealNotFound, FieldInvalid, NotConnected, PaymentNotFound
from backend.core.ids import LARGEST_NUMBER, usable_id
from backend.core.sentences.said import said
from backend.facts import Fact
from backend.kommo_api.errors import KommoError
from backend.ledger.absorb import absorb
from backend.resources import Resources
from backend.storage.models import Audit, Deal, LedgerEntry, PaymentRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

NO_DEAL = 0


async def attach(
    resources: Resources, payment_id: str, given: Mapping[str, Any], *, who: str = "admin"
) -> dict[str, Any]:
    """Attach the payment to the deal of ``{"account_id", "lead_id"}``; return both with the payment's id as ``id``.

    Its request moves too if this is its only payment. From a deleted deal everything moves: its links then pay the new
    deal. Raises ``FieldInvalid``, ``PaymentNotFound`` or ``DealNotFound``.
    """
    account_id, lead_id = _number(given, "account_id"), _number(given, "lead_id")
    _check_usable(payment_id)
    await _check_deal(resources, account_id, lead_id)
    await _put(resources, payment_id, account_id, lead_id, who)
    return {"id": payment_id, "account_id": account_id, "lead_id": lead_id}


async def detach(resources: Resources, payment_id: str, account_id: int, *, who: str = "admin") -> dict[str, Any]:
    """Detach the payment from its deal and return ``{"id", "account_id", "lead_id": None}``.

    It is unmatched until it is attached again. Raises ``PaymentNotFound``.
    """
    await _put(resources, payment_id, account_id, NO_DEAL, who)
    return {"id": payment_id, "account_id": account_id, "lead_id": None}


async def accounts_of(resources: Resources, payment_id: str) -> list[int]:
    """Return the ids of the Kommo accounts that know this payment: usually one, [] for an unknown payment.

    Raises ``PaymentNotFound`` for a text that can't be an id.
    """
    _check_usable(payment_id)
    async with resources.database.read() as session:
        found = await session.exec(
            select(LedgerEntry).where(
                col(LedgerEntry.connection_id).in_(select(StripeConnection.id)),  # for the key's index
                LedgerEntry.id == payment_id,
                LedgerEntry.kind == "payment",
            )
        )
        return sorted({entry.account_id for entry in found.all() if entry.account_id is not None})


def _check_usable(payment_id: str) -> None:
    if not usable_id(payment_id):
        raise PaymentNotFound(said("payment_id_wrong"))


def _number(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_NUMBER:
        raise FieldInvalid(said("number_of_kommo", name=name), field=name)
    return value


async def _check_deal(resources: Resources, account_id: int, lead_id: int) -> None:
    """Raise ``DealNotFound`` if Kommo has no such deal; if Kommo can't be asked, the writer finds out."""
    try:
        lead = await with_kommo(resources, account_id, lambda api: api.lead(lead_id, contacts=False))
    except (KommoError, NotConnected):
        return
    if lead is None:
        raise DealNotFound(said("deal_unknown"))


@repeated
async def _put(resources: Resources, payment_id: str, account_id: int, lead_id: int, who: str) -> None:
    now = resources.clock()
    async with account_unit(resources.database, account_id) as session:
        entries = await _payment(session, payment_id, account_id)
        before = entries[0].lead_id
        moving, requests = await _along(session, entries) if lead_id else (entries, [])
        for request in requests:
            request.lead_id = lead_id
            session.add(request)
        await session.flush()
        deals = {before or NO_DEAL, lead_id}
        connections = {one.connection_id for one in moving} | {one.connection_id for one in requests}
        for connection_id in sorted(connections - {""}):
            mine = [one for one in moving if one.connection_id == connection_id]
            deals |= await _attach(session, connection_id, mine, requests, lead_id)
        await mark_dirty(session, account_id, deals - {NO_DEAL}, now)
        session.add(
            Audit(
                at=now,
                account_id=account_id,
                who=who,
                what="payment attached" if lead_id else "payment detached",
                before={"lead_id": before},
                after={"payment": payment_id, "lead_id": lead_id or None, "moved": sorted(one.id for one in moving)},
            )
        )
    resources.work_arrived.set()


async def _payment(session: AsyncSession, payment_id: str, account_id: int) -> list[LedgerEntry]:
    """Return the payment's entries, locked, so that of two simultaneous changes one comes later: one for each
    connection that heard of it, those with its amount first.

    Raises ``PaymentNotFound``.
    """
    found = await session.exec(
        select(LedgerEntry)
        .where(LedgerEntry.id == payment_id, LedgerEntry.account_id == account_id, LedgerEntry.kind == "payment")
        .order_by(col(LedgerEntry.connection_id))
        .with_for_update()
    )
    entries = sorted(found.all(), key=lambda one: "received" not in one.facts)
    if not entries or "received" not in entries[0].facts:
        raise PaymentNotFound(said("payment_unknown", id=repr(payment_id[:60])))
    return entries


async def _along(session: AsyncSession, entries: list[LedgerEntry]) -> tuple[list[LedgerEntry], list[PaymentRequest]]:
    """Return the payments and requests that move with this payment, given as its entries."""
    entry = entries[0]
    deal = await session.get(Deal, (entry.account_id, entry.lead_id)) if entry.lead_id else None
    if deal is not None and deal.state == "gone":
        payments = await session.exec(
            select(LedgerEntry).where(
                LedgerEntry.account_id == entry.account_id,
                LedgerEntry.lead_id == entry.lead_id,
                LedgerEntry.kind == "payment",
            )
        )
        requests = await session.exec(
            select(PaymentRequest).where(
                PaymentRequest.account_id == entry.account_id, PaymentRequest.lead_id == deal.lead_id
            )
        )
        return list(payments.all()), list(requests.all())
    request = await session.get(PaymentRequest, (entry.account_id, entry.request_id)) if entry.request_id else None
    alone = request is not None and await _is_alone(session, entry)
    return entries, [request] if request is not None and alone else []


async def _is_alone(session: AsyncSession, entry: LedgerEntry) -> bool:
    found = await session.exec(
        select(LedgerEntry).where(
            LedgerEntry.account_id == entry.account_id,
            LedgerEntry.request_id == entry.request_id,
            LedgerEntry.kind == "payment",
            LedgerEntry.id != entry.id,
        )
    )
    return not any("received" in other.facts for other in found.all())


async def _attach(
    session: AsyncSession,
    connection_id: str,
    payments: Sequence[LedgerEntry],
    requests: Sequence[PaymentRequest],
    lead_id: int,
) -> frozenset[int]:
    """Store the attachment and return the ids of the changed deals."""
    connection = await session.get_one(StripeConnection, connection_id)
    words = [
        Fact(one.id, "attached", [int(one.facts.get("attached", [0, 0])[0]) + 1, lead_id])
        for one in payments
        if "received" in one.facts
    ]
    moved = await session.exec(
        select(LedgerEntry.id).where(
            LedgerEntry.account_id == connection.account_id,
            LedgerEntry.connection_id == connection_id,
            col(LedgerEntry.request_id).in_([request.id for request in requests]),
        )
    )
    return (await absorb(session, connection, words, again=moved.all())).deals
