"""Facts into the database, and each Stripe object to its deal.

``absorb`` merges facts and joins whatever they touch: a payment's deal is found by rank, never by arrival
(attached by a person > our request > metadata of PaymentIntent > session > invoice > subscription > bare reference).
Every deal that changed is marked dirty in the same unit of work.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.db import insert_missing
from backend.facts import PARENTS, Fact, Known, by_subject, merge
from backend.models import LedgerEntry, LedgerLink, PaymentRequest, StripeConnection

OWN_RANK = {"payment": 2, "session": 3, "invoice": 4, "subscription": 5}
BARE_RANK = 6
WALK_LIMIT = 2000
"""Objects joined in one go; more hang together only where something is wrong."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a set of facts touched: ``ours`` is False when nothing of it belongs to us."""

    ours: bool
    deals: frozenset[int]


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says whose this is: ordered by rank, then strength, then the smallest id."""

    rank: int
    strength: int
    lead_id: int
    request_id: str = ""

    def __lt__(self, other: "Claim") -> bool:
        return (self.rank, self.strength, self.lead_id) < (other.rank, other.strength, other.lead_id)


async def absorb(session: AsyncSession, connection: StripeConnection, facts: Iterable[Fact]) -> Absorbed:
    """Merge ``facts`` and join what they touch. The caller's unit of work commits it."""
    told = by_subject(facts)
    if not told or connection.account_id is None:
        return Absorbed(ours=False, deals=frozenset())
    await _make_rows(session, connection, told)
    group = await _together(session, connection.id, told)
    before = {entry.id: (dict(entry.facts), entry.lead_id, entry.request_id) for entry in group.values()}
    for subject, known in told.items():
        group[subject].facts = merge(group[subject].facts, known)
    await join(session, connection, group)
    deals = {
        lead
        for entry in group.values()
        if before[entry.id] != (entry.facts, entry.lead_id, entry.request_id)
        for lead in (before[entry.id][1], entry.lead_id)
        if lead
    }
    return Absorbed(any(group[subject].ours for subject in told), frozenset(deals))


async def _make_rows(session: AsyncSession, connection: StripeConnection, told: Mapping[str, Known]) -> None:
    """Rows for what is spoken of, parents included, so that the merge below meets them under lock."""
    kinds = {subject: str(known.get("kind", "")) for subject, known in told.items()}
    links = [
        {"connection_id": connection.id, "child": child, "parent": parent}
        for child, known in told.items()
        for name in PARENTS & known.keys()
        for parent in known[name]
    ]
    for link in links:
        kinds.setdefault(link["parent"], "")
    rows: list[dict[str, Any]] = [
        {"connection_id": connection.id, "id": subject, "kind": kind, "facts": {}, "account_id": connection.account_id,
         "ours": False}
        for subject, kind in sorted(kinds.items())
    ]  # fmt: skip
    await insert_missing(session, LedgerEntry, rows)
    await insert_missing(session, LedgerLink, links)


async def _together(session: AsyncSession, connection_id: str, told: Iterable[str]) -> dict[str, LedgerEntry]:
    """The told objects, all that they hang on, and all that hangs on those; locked, in one order for everybody."""
    seen = set(told)
    edge = set(seen)
    while edge and len(seen) < WALK_LIMIT:
        rows = await session.exec(
            select(LedgerLink).where(
                LedgerLink.connection_id == connection_id,
                or_(col(LedgerLink.child).in_(edge), col(LedgerLink.parent).in_(edge)),
            )
        )
        edge = {name for link in rows.all() for name in (link.child, link.parent)} - seen
        seen |= edge
    found = await session.exec(
        select(LedgerEntry)
        .where(LedgerEntry.connection_id == connection_id, col(LedgerEntry.id).in_(seen))
        .order_by(LedgerEntry.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {entry.id: entry for entry in found.all()}


async def join(session: AsyncSession, connection: StripeConnection, group: Mapping[str, LedgerEntry]) -> None:
    """Say of each entry whether it is ours, and which request and deal it belongs to."""
    requests = await _requests(session, connection, group.values())
    for entry in group.values():
        claims = sorted(_claims(entry, group, requests, connection.reference_policy))
        best = claims[0] if claims else None
        entry.kind = entry.kind or str(entry.facts.get("kind", ""))
        entry.ours = best is not None
        entry.lead_id = (best.lead_id or None) if best else None
        entry.request_id = next((claim.request_id for claim in claims if claim.request_id), None)
        session.add(entry)


async def _requests(
    session: AsyncSession, connection: StripeConnection, entries: Iterable[LedgerEntry]
) -> dict[str, PaymentRequest]:
    ids = {entry.facts["request"] for entry in entries if "request" in entry.facts}
    if not ids:
        return {}
    found = await session.exec(
        select(PaymentRequest).where(
            PaymentRequest.account_id == connection.account_id, col(PaymentRequest.id).in_(ids)
        )
    )
    return {request.id: request for request in found.all()}


def _claims(
    entry: LedgerEntry, group: Mapping[str, LedgerEntry], requests: Mapping[str, PaymentRequest], policy: str
) -> list[Claim]:
    """Claims of the entry itself and of all that it hangs on."""
    claims: list[Claim] = []
    for one in _line(entry, group):
        facts = one.facts
        if one.id == entry.id and "attached" in facts:
            claims.append(Claim(0, 0, facts["attached"][1]))
        request = requests.get(facts.get("request", ""))
        if request is not None:
            claims.append(Claim(1, 0, request.lead_id, request.id))
        if "lead" in facts and "foreign" not in facts:
            claims.append(Claim(OWN_RANK.get(one.kind, 5), facts["lead"][0], facts["lead"][1]))
        if "bare_lead" in facts and "foreign" not in facts:
            claims.append(Claim(BARE_RANK, 0, facts["bare_lead"] if policy == "trust" else 0))
    if "payment" in entry.facts:  # a refund or dispute belongs where its payment does, attached or not
        payment = group.get(entry.facts["payment"][0])
        if payment is not None and "attached" in payment.facts:
            claims.append(Claim(0, 0, payment.facts["attached"][1]))
    return claims


def _line(entry: LedgerEntry, group: Mapping[str, LedgerEntry]) -> list[LedgerEntry]:
    """The entry and its parents, their parents, and so on, each once."""
    line: list[LedgerEntry] = []
    waiting = [entry]
    while waiting:
        one = waiting.pop(0)
        if one in line:
            continue
        line.append(one)
        parents = sorted(parent for name in PARENTS & one.facts.keys() for parent in one.facts[name])
        waiting += [group[parent] for parent in parents if parent in group]
    return line


async def entries_of(session: AsyncSession, account_id: int, lead_ids: Sequence[int]) -> list[LedgerEntry]:
    found = await session.exec(
        select(LedgerEntry).where(LedgerEntry.account_id == account_id, col(LedgerEntry.lead_id).in_(lead_ids))
    )
    return list(found.all())
