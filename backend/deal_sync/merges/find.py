"""Which deal survived a merge: by Kommo's events feed, else by two proofs in the survivor itself.

Weaker evidence is only a suggestion for the administrator (``admin.unmatched``).
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.tokens.call import with_kommo
from backend.core.cache import CacheSpec
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoNotFound, KommoRefused, KommoUnavailable
from backend.kommo_api.values import Lead, Merge
from backend.ledger.merged_deals import survivors
from backend.resources import Resources
from backend.storage.models import Account, LedgerEntry, PaymentRequest

T = TypeVar("T")
NO_ANSWER: tuple[type[KommoError], ...] = (KommoForbidden, KommoRefused, KommoNotFound, KommoUnavailable)
"""Errors of one call that do not concern other calls; any other error stops the account's writer."""
REFUSED = CacheSpec[int, bool](3600.0, most=10_000)
"""Accounts whose token may not read the feed."""
MOST_NAMED = 250
MOST_DEALS = 50
"""Most deals of one contact, newest first."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Survivor:
    """The deal that survived a merge, and how it was found."""

    lead_id: int
    proof: Literal["event", "fields"]


async def holding(session: AsyncSession, account_id: int, lead_ids: Collection[int]) -> set[int]:
    """The deals among ``lead_ids`` that have a payment of ours or a payment request."""
    paid = select(LedgerEntry.lead_id).where(
        LedgerEntry.account_id == account_id, col(LedgerEntry.lead_id).in_(lead_ids), col(LedgerEntry.ours).is_(True)
    )
    asked = select(PaymentRequest.lead_id).where(
        PaymentRequest.account_id == account_id, col(PaymentRequest.lead_id).in_(lead_ids)
    )
    found = [*(await session.exec(paid.distinct())).all(), *(await session.exec(asked.distinct())).all()]
    return {lead_id for lead_id in found if lead_id is not None}


async def survivors_told(resources: Resources, account_id: int, gone: Collection[int]) -> dict[int, Survivor]:
    """Missing deal → its survivor by Kommo's events feed, now or recorded earlier. Deals without one have no entry.

    Only deals with payments or requests are looked up (``holding``). Raises the ``KommoError``s that are not in
    ``NO_ANSWER``.
    """
    async with resources.database.read() as session:
        ours = await holding(session, account_id, gone)
        known = await survivors(session, account_id, ours)
    found = {lead_id: Survivor(survivor, "event") for lead_id, survivor in known.items()}
    unknown = ours - found.keys()
    return found | (await _by_feed(resources, account_id, unknown) if unknown else {})


async def survivors_proven(resources: Resources, account_id: int, gone: Collection[int]) -> dict[int, Survivor]:
    """Missing deal → its survivor by proof: the only deal of the same client with a value in our fields that we wrote
    for the missing one.

    Only deals with payments or requests are looked up (``holding``). Raises the ``KommoError``s that are not in
    ``NO_ANSWER``.
    """
    async with resources.database.read() as session:
        ours = await holding(session, account_id, gone)
    found = {lead_id: await _by_fields(resources, account_id, lead_id) for lead_id in sorted(ours)}
    return {lead_id: Survivor(survivor, "fields") for lead_id, survivor in found.items() if survivor is not None}


async def _by_feed(resources: Resources, account_id: int, gone: Collection[int]) -> dict[int, Survivor]:
    merges = await _or_none(account_id, merges_since(resources, account_id, 0.0)) or []
    named = _named_with(gone, merges)
    if not named:
        return {}
    asked = sorted(named)
    living = await _answer(resources, account_id, lambda api: api.leads(asked)) or {}
    found = {lead_id: survivor_of(lead_id, merges, living.keys()) for lead_id in gone}
    return {lead_id: Survivor(one, "event") for lead_id, one in found.items() if one is not None}


async def merges_since(resources: Resources, account_id: int, since: float) -> list[Merge]:
    """The merges in the feed since ``since`` (Unix seconds).

    Raises ``KommoForbidden`` without asking Kommo for an hour after it refused; other ``KommoError``s pass through.
    """
    refused = resources.caches[REFUSED]
    if account_id in refused:
        raise KommoForbidden("it refused our user the feed of events a while ago")
    try:
        return await with_kommo(resources, account_id, lambda api: api.merges(since))
    except KommoForbidden:
        refused.put(account_id, True)
        raise


def _named_with(gone: Collection[int], merges: Iterable[Merge]) -> set[int]:
    """All deals connected to ``gone`` by events, over several steps: a survivor may have been merged as well."""
    groups = [merge.leads for merge in merges]
    named, edge = set[int](), set(gone)
    while edge and len(named) < MOST_NAMED:
        edge = set[int]().union(*(group for group in groups if group & edge)) - named - set(gone)
        named |= edge
    return set(sorted(named, reverse=True)[:MOST_NAMED])


def survivor_of(gone: int, merges: Collection[Merge], living: Collection[int]) -> int | None:
    """The nearest living deal that merges connect to ``gone``; None if there is none or more than one."""
    seen, edge = {gone}, {gone}
    while edge:
        edge = set[int]().union(*(merge.leads for merge in merges if merge.leads & edge)) - seen
        alive = edge & set(living)
        if alive:
            return alive.pop() if len(alive) == 1 else None
        seen |= edge
    return None


async def _by_fields(resources: Resources, account_id: int, lead_id: int) -> int | None:
    """The only deal with the same main contact whose fields hold a Stripe id or link created for this deal."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        contacts, marks = await _marks(session, account_id, lead_id, resources.addresses.public_url)
    fields = {int(field["id"]) for code, field in account.fields.items() if code in CARRYING}
    fits: set[int] = set()
    for contact in sorted(contacts) if marks else ():
        leads = await _deals_of(resources, account_id, contact)
        fits |= {one.id for one in leads if one.main_contact_id == contact and _carries(one, fields, marks)}
    return fits.pop() if len(fits) == 1 else None


CARRYING = ("STRIPE_PAYMENT_INTENT", "STRIPE_PAYMENT_LINK")


async def _marks(session: AsyncSession, account_id: int, lead_id: int, public_url: str) -> tuple[set[int], set[str]]:
    """The contacts of the deal's requests, and all values that our fields on its card ever held."""
    mine = (PaymentRequest.account_id == account_id, PaymentRequest.lead_id == lead_id)
    requests = (await session.exec(select(PaymentRequest).where(*mine))).all()
    paid = (LedgerEntry.account_id == account_id, LedgerEntry.lead_id == lead_id, LedgerEntry.kind == "payment")
    payments = (await session.exec(select(LedgerEntry.id).where(*paid))).all()
    links = {f"{public_url}/p/{request.link_token}" for request in requests}
    ids = {payment.partition(":")[0] for payment in payments}
    return {request.contact_id for request in requests if request.contact_id}, links | ids


def _carries(lead: Lead, fields: Collection[int], marks: Collection[str]) -> bool:
    return any(value.value in marks for field_id in fields for value in lead.fields.get(field_id, ()))


async def _deals_of(resources: Resources, account_id: int, contact: int) -> list[Lead]:
    ids = (await _answer(resources, account_id, lambda api: api.deals_of_contact(contact)) or [])[:MOST_DEALS]
    if not ids:
        return []
    leads = await _answer(resources, account_id, lambda api: api.leads(ids, contacts=True)) or {}
    return list(leads.values())


async def _answer(resources: Resources, account_id: int, call: Callable[[KommoApi], Awaitable[T]]) -> T | None:
    return await _or_none(account_id, with_kommo(resources, account_id, call))


async def _or_none(account_id: int, asking: Awaitable[T]) -> T | None:
    try:
        return await asking
    except NO_ANSWER as error:
        log.info("merge search failed", account=account_id, reason=str(error))
        return None
