"""Which deal survived a merge: by Kommo's feed of events, else by two proofs in the survivor itself.

Less than that is no more than a suggestion for the administrator (``admin.unmatched``).
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
"""What one call may meet with while all the others go on; anything else holds the account's writer, too."""
REFUSED = CacheSpec[int, bool](3600.0, most=10_000)
"""By account: its feed may not be read by our token."""
MOST_NAMED = 250
MOST_DEALS = 50
"""Of a contact, newest first."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Survivor:
    lead_id: int
    proof: Literal["event", "fields"]


async def holding(session: AsyncSession, account_id: int, lead_ids: Collection[int]) -> set[int]:
    """Those of ``lead_ids`` that something of ours hangs on."""
    paid = select(LedgerEntry.lead_id).where(
        LedgerEntry.account_id == account_id, col(LedgerEntry.lead_id).in_(lead_ids), col(LedgerEntry.ours).is_(True)
    )
    asked = select(PaymentRequest.lead_id).where(
        PaymentRequest.account_id == account_id, col(PaymentRequest.lead_id).in_(lead_ids)
    )
    found = [*(await session.exec(paid.distinct())).all(), *(await session.exec(asked.distinct())).all()]
    return {lead_id for lead_id in found if lead_id is not None}


async def survivors_told(resources: Resources, account_id: int, gone: Collection[int]) -> dict[int, Survivor]:
    """Missing deal → the living one that it was merged into, as Kommo's feed tells, or told us before."""
    async with resources.database.read() as session:
        ours = await holding(session, account_id, gone)
        known = await survivors(session, account_id, ours)
    found = {lead_id: Survivor(survivor, "event") for lead_id, survivor in known.items()}
    unknown = ours - found.keys()
    return found | (await _by_feed(resources, account_id, unknown) if unknown else {})


async def survivors_proven(resources: Resources, account_id: int, gone: Collection[int]) -> dict[int, Survivor]:
    """The same, where nothing tells: the only deal of the same client that holds what we wrote to the missing one."""
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
    """The feed's merges. A refusal is believed for an hour, in which Kommo is not asked again."""
    refused = resources.caches[REFUSED]
    if account_id in refused:
        raise KommoForbidden("it refused our user the feed of events a while ago")
    try:
        return await with_kommo(resources, account_id, lambda api: api.merges(since))
    except KommoForbidden:
        refused.put(account_id, True)
        raise


def _named_with(gone: Collection[int], merges: Iterable[Merge]) -> set[int]:
    """What the events name together with these deals, with those, and so on: a survivor may have been merged, too."""
    groups = [merge.leads for merge in merges]
    named, edge = set[int](), set(gone)
    while edge and len(named) < MOST_NAMED:
        edge = set[int]().union(*(group for group in groups if group & edge)) - named - set(gone)
        named |= edge
    return set(sorted(named, reverse=True)[:MOST_NAMED])


def survivor_of(gone: int, merges: Collection[Merge], living: Collection[int]) -> int | None:
    """The nearest living deal that events lead to from ``gone``; None where there is none, or more than one."""
    seen, edge = {gone}, {gone}
    while edge:
        edge = set[int]().union(*(merge.leads for merge in merges if merge.leads & edge)) - seen
        alive = edge & set(living)
        if alive:
            return alive.pop() if len(alive) == 1 else None
        seen |= edge
    return None


async def _by_fields(resources: Resources, account_id: int, lead_id: int) -> int | None:
    """The only deal with the same main contact whose fields hold an id or link of ours that was made for this one."""
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
    """The contacts that were asked for this deal, and what our fields on its card held at some time."""
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
