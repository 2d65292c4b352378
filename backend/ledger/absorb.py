"""Facts into the database, and each Stripe object to its deal.

``absorb`` merges facts and looks again at the owner of whatever they touch. The deals that changed are told, for the
caller to mark as dirty in the same unit of work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.telemetry.lines import note_after_commit
from backend.facts import Fact, Known, by_subject, merge, turning_points
from backend.ledger.invoice_sums import Unexplained, hung_on, payers, took_money, unexplained
from backend.ledger.merged_deals import survivors
from backend.ledger.ownership import Owner, claims_changed, owner_of, parents_of, request_ids, under_policy
from backend.ledger.shares import sharing
from backend.storage.models import LedgerEntry, LedgerLink, PaymentRequest, StripeConnection

AT_ONCE = 500
"""Ids in one query."""
NOBODY: Mapping[str, Mapping[str, object]] = {}
NOT_ON_CARDS = frozenset(("events", "wrong", "paid_with"))
"""Facts that no card shows: they make no deal dirty."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What a set of facts touched: the told objects that belong to us, the deals that changed, and the invoices of ours
    whose payments only Stripe can name."""

    ours: frozenset[str]
    deals: frozenset[int]
    unexplained: tuple[Unexplained, ...] = ()


@dataclass
class LedgerBatch:
    """The entries of one connection that are at hand, and how they were when they were read."""

    session: AsyncSession
    connection_id: str
    account_id: int
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    before: dict[str, tuple[Known, Owner]] = field(default_factory=dict)

    @property
    def book(self) -> dict[str, Known]:
        return {subject: entry.facts for subject, entry in self.entries.items()}

    async def fetch(self, subjects: Iterable[str]) -> None:
        """Have these at hand, and all that they hang on."""
        wanted = set(subjects) - self.entries.keys()
        while wanted:
            for ids in _portions(wanted):
                found = await self.session.exec(
                    select(LedgerEntry)
                    .where(LedgerEntry.connection_id == self.connection_id, col(LedgerEntry.id).in_(ids))
                    .execution_options(populate_existing=True)
                )
                for entry in found.all():
                    self.entries[entry.id] = entry
                    self.before[entry.id] = (entry.facts, _owner(entry))
            for missing in wanted - self.entries.keys():
                self._begin(missing)
            wanted = {p for one in wanted for p in parents_of(self.entries[one].facts)} - self.entries.keys()

    def _begin(self, subject: str) -> None:
        self.entries[subject] = LedgerEntry(
            connection_id=self.connection_id, id=subject, kind="", facts={}, account_id=self.account_id, ours=False
        )
        self.before[subject] = ({}, Owner())

    def merge(self, told: Mapping[str, Known]) -> set[str]:
        """Those whose owner may be another now."""
        for subject, known in told.items():
            entry = self.entries[subject]
            was = set(parents_of(entry.facts))
            merged = merge(entry.facts, known)
            if merged != entry.facts:
                entry.facts = merged
            for parent in set(parents_of(entry.facts)) - was:
                self.session.add(LedgerLink(connection_id=self.connection_id, child=subject, parent=parent))
        return {one for one in told if claims_changed(self.before[one][0], self.entries[one].facts)}

    async def below(self, subjects: Iterable[str]) -> set[str]:
        """All that hangs on these, on that, and so on; the ones named included."""
        seen: set[str] = set()
        edge = set(subjects)
        while edge:
            seen |= edge
            children: set[str] = set()
            for ids in _portions(edge):
                found = await self.session.exec(
                    select(LedgerLink.child).where(
                        LedgerLink.connection_id == self.connection_id, col(LedgerLink.parent).in_(ids)
                    )
                )
                children.update(found.all())
            edge = children - seen
        return seen

    async def unexplained(self, subjects: Iterable[str]) -> tuple[Unexplained, ...]:
        """Of these, the invoices of ours that took more money than their payments explain."""
        invoices = sorted(one for one in subjects if self.entries[one].ours and took_money(self.entries[one].facts))
        for ids in _portions(hung_on(invoices, self.book)):
            mine = (LedgerLink.connection_id == self.connection_id, col(LedgerLink.parent).in_(ids))
            await self.fetch((await self.session.exec(select(LedgerLink.child).where(*mine))).all())
        book = self.book
        paying = payers(book)
        return tuple(found for one in invoices if (found := unexplained(one, book, paying)))

    async def give_owners(self, subjects: Iterable[str]) -> None:
        book = self.book
        requests = await _requests(self.session, self.account_id, request_ids(book.values()))
        owners = {subject: owner_of(subject, book, requests) for subject in subjects}
        named = {owner.lead_id for owner in owners.values() if owner.lead_id}
        living = await survivors(self.session, self.account_id, named)
        for subject, found in owners.items():
            owner, entry = found.at_survivor(living), self.entries[subject]
            entry.kind = str(entry.facts.get("kind", ""))
            entry.ours, entry.lead_id, entry.request_id = owner.ours, owner.lead_id, owner.request_id
        self.session.add_all(self.entries.values())

    def note_news(self, told_by: Mapping[str, Mapping[str, object]]) -> None:
        """A log line for what happened to objects of ours, once it is committed."""
        for subject, (facts, owner) in self.before.items():
            entry = self.entries[subject]
            for line in turning_points(facts if owner.ours else {}, entry.facts) if entry.ours else ():
                of = {"payment": next(iter(entry.facts.get("payment", ())), None), entry.kind: subject}
                ids = of | {"account": self.account_id, "deal": entry.lead_id, "payment_request": entry.request_id}
                note_after_commit(self.session, line, **ids, **told_by.get(subject, {}))

    def changed_deals(self) -> frozenset[int]:
        changed = [
            subject
            for subject, (facts, owner) in self.before.items()
            if owner != _owner(self.entries[subject]) or _on_cards(facts) != _on_cards(self.entries[subject].facts)
        ]
        leads = {self.before[one][1].lead_id for one in changed}
        leads |= {self.entries[one].lead_id for one in sharing(changed, self.book)}
        return frozenset(lead for lead in leads if lead)


async def absorb(
    session: AsyncSession,
    connection: StripeConnection,
    facts: Iterable[Fact],
    *,
    again: Iterable[str] = (),
    waiting: Iterable[str] = (),
    told_by: Mapping[str, Mapping[str, object]] = NOBODY,
) -> Absorbed:
    """Merge ``facts`` and join what they touch; ``again`` names objects whose request was moved to another deal,
    ``waiting`` told ones under which an invoice may have been unexplained before, ``told_by`` what the log says of
    their source.

    The caller's unit of work commits it. Absorbing is done by one at a time for each connection.
    """
    gathered, moved = by_subject(facts), set(again)
    if not (gathered or moved) or connection.account_id is None:
        return Absorbed(frozenset(), frozenset())
    told = under_policy(gathered, await _lock(session, connection.id))
    batch = LedgerBatch(session, connection.id, connection.account_id)
    parents = {parent for known in told.values() for parent in parents_of(known)}
    await batch.fetch(told.keys() | parents)
    touched = await batch.below(batch.merge(told) | moved | {*waiting}) | told.keys()
    await batch.fetch(touched)
    await batch.give_owners(touched)
    batch.note_news(told_by)
    return Absorbed(
        ours=frozenset(subject for subject in told if batch.entries[subject].ours),
        deals=batch.changed_deals(),
        unexplained=await batch.unexplained(touched),
    )


async def _lock(session: AsyncSession, connection_id: str) -> str:
    """Others who absorb wait here; the connection's policy for bare references, as it is now."""
    found = await session.exec(
        select(StripeConnection.reference_policy).where(StripeConnection.id == connection_id).with_for_update()
    )
    return found.one()


async def _requests(session: AsyncSession, account_id: int, ids: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in _portions(ids):
        rows = await session.exec(
            select(PaymentRequest.id, PaymentRequest.lead_id).where(
                PaymentRequest.account_id == account_id, col(PaymentRequest.id).in_(some)
            )
        )
        found.update(rows.all())
    return found


def _owner(entry: LedgerEntry) -> Owner:
    return Owner(entry.ours, entry.lead_id, entry.request_id)


def _on_cards(known: Known) -> Known:
    return {name: value for name, value in known.items() if name not in NOT_ON_CARDS}


def _portions(ids: Iterable[str]) -> list[list[str]]:
    ordered = sorted(ids)
    return [ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE)]
