"""Merge facts into the ledger's rows and assign each Stripe object to its deal.

``absorb`` merges facts and recomputes the owner of every object that they affect. It returns the deals that changed, so
that the caller marks them dirty in the same unit of work.
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
"""The number of ids in one query."""
NOBODY: Mapping[str, Mapping[str, object]] = {}
NOT_ON_CARDS = frozenset(("events", "wrong", "paid_with"))
"""Names of facts that no card shows. A change of one marks no deal dirty."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """The effect of a set of facts: the reported objects that are ours (Stripe ids), the deals that changed, and our
    invoices whose payments only a call to Stripe can name."""

    ours: frozenset[str]
    deals: frozenset[int]
    unexplained: tuple[Unexplained, ...] = ()


@dataclass
class LedgerBatch:
    """The ledger entries of one connection that are loaded for a merge, by Stripe id, and
    each one's state at loading."""

    session: AsyncSession
    connection_id: str
    account_id: int
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    before: dict[str, tuple[Known, Owner]] = field(default_factory=dict)

    @property
    def book(self) -> dict[str, Known]:
        """Return the present facts of every loaded entry, by Stripe id; {} before ``fetch``."""
        return {subject: entry.facts for subject, entry in self.entries.items()}

    async def fetch(self, subjects: Iterable[str]) -> None:
        """Load the entries of these Stripe ids and all their ancestors. An id without a row gets an empty entry."""
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
        """Merge the facts (Stripe id → facts) into the loaded entries and return the ids
        whose owner may have changed."""
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
        """Return these Stripe ids and all their descendants, as the links in the database have them."""
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
        """Return those of our invoices among ``subjects`` that took more money than their known payments, ordered by
        id; () if there are none.
        """
        invoices = sorted(one for one in subjects if self.entries[one].ours and took_money(self.entries[one].facts))
        for ids in _portions(hung_on(invoices, self.book)):
            mine = (LedgerLink.connection_id == self.connection_id, col(LedgerLink.parent).in_(ids))
            await self.fetch((await self.session.exec(select(LedgerLink.child).where(*mine))).all())
        book = self.book
        paying = payers(book)
        return tuple(found for one in invoices if (found := unexplained(one, book, paying)))

    async def give_owners(self, subjects: Iterable[str]) -> None:
        """Recompute kind and owner of these loaded entries; the survivor replaces a merged deal. Add
        all entries to the session."""
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
        """Log what happened to our objects, once the unit of work is committed. ``told_by``:
        Stripe id → extra log fields."""
        for subject, (facts, owner) in self.before.items():
            entry = self.entries[subject]
            for line in turning_points(facts if owner.ours else {}, entry.facts) if entry.ours else ():
                of = {"payment": next(iter(entry.facts.get("payment", ())), None), entry.kind: subject}
                ids = of | {"account": self.account_id, "deal": entry.lead_id, "payment_request": entry.request_id}
                note_after_commit(self.session, line, **ids, **told_by.get(subject, {}))

    def changed_deals(self) -> frozenset[int]:
        """Return the Kommo ids of the deals whose cards may have changed: the former and the new deal of each changed
        entry, and the deals that share a payment with it."""
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
    """Merge ``facts`` into the ledger, assign what they affect to deals, and return what changed.

    ``again``: ids of objects whose payment request was moved to another deal. ``waiting``: ids of reported objects to
    which an unexplained invoice may have been linked before. ``told_by``: Stripe id → log fields about the source.

    The caller's unit of work commits it. A lock on the connection's row lets one unit at
    a time absorb for a connection.
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
    open_invoices = await batch.unexplained(touched)
    return Absorbed(
        ours=frozenset(subject for subject in told if batch.entries[subject].ours),
        deals=batch.changed_deals(),  # after the payments of these invoices were loaded
        unexplained=open_invoices,
    )


async def _lock(session: AsyncSession, connection_id: str) -> str:
    """Lock the connection's row against other absorbing units and return its current policy for bare references."""
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
