"""The whole way from events to cards without a database: merge, owners, ledgers, render. For tests of every order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.deal_sync.desired.render import Wanted, render
from backend.deal_sync.desired.texts import texts
from backend.facts import Fact, Known, by_subject, merge
from backend.ledger.build import deal_ledger
from backend.ledger.deal import DealLedger, Request
from backend.ledger.ownership import Owner, owner_of, under_policy
from backend.stripe_api.events import facts_of
from tests.ledger.build import request
from tests.ledger.events import ACCOUNT, LEAD, REQUEST, T0

NOW = T0 + 200.0
KnownFacts = Mapping[str, Known]


@dataclass
class Row:
    """An entry of the ledger as the database would hold it."""

    id: str
    kind: str
    facts: Known
    lead_id: int | None
    request_id: str | None
    connection_id: str = "con"


@dataclass
class Book:
    """What one connection has told. ``requests``: id → (deal, what was asked)."""

    requests: dict[str, tuple[int, Request]] = field(
        default_factory=lambda: {REQUEST: (LEAD, request(id=REQUEST, created_at=T0 - 100.0))}
    )
    facts: dict[str, Known] = field(default_factory=dict)
    now: float = NOW
    survivors: dict[int, int] = field(default_factory=dict)

    def tell(self, told: KnownFacts) -> None:
        for subject, known in told.items():
            self.facts[subject] = merge(self.facts.get(subject, {}), known)
        for known in told.values():
            for name in ("session", "invoice", "subscription", "payment"):
                for parent in known.get(name, ()):
                    self.facts.setdefault(parent, {})

    def tell_events(self, events: Iterable[Mapping[str, Any]]) -> "Book":
        for event in events:
            self.tell(told_by(event))
        return self

    def attach(self, payment: str, lead: int, word: int = 1) -> None:
        self.tell(by_subject([Fact(payment, "attached", [word, lead])]))

    def merge_deals(self, gone: int, survivor: int) -> None:
        """The survivor lives; what led to the deal that goes leads on to it."""
        led_on = {one: survivor if to == gone else to for one, to in self.survivors.items()}
        self.survivors = led_on | {gone: survivor}
        moved = {name: (survivor if lead == gone else lead, asked) for name, (lead, asked) in self.requests.items()}
        self.requests = moved

    def owners(self) -> dict[str, Owner]:
        leads = {name: lead for name, (lead, _) in self.requests.items()}
        owners = ((subject, owner_of(subject, self.facts, leads)) for subject in sorted(self.facts))
        return {subject: owner.at_survivor(self.survivors) for subject, owner in owners}

    def deals(self) -> dict[int, DealLedger]:
        """Of every deal that a request or an owner names."""
        owners = self.owners()
        leads = {lead for lead, _ in self.requests.values()} | {o.lead_id for o in owners.values() if o.lead_id}
        rows = [*self._all_rows(owners)]
        return {
            lead: deal_ledger(
                [row for row in rows if row.lead_id == lead],
                (asked for of, asked in self.requests.values() if of == lead),
                beside=[row for row in rows if row.lead_id != lead],
                account_currency="EUR",
                livemode=True,
                now=self.now,
                merged=tuple(sorted(gone for gone, to in self.survivors.items() if to == lead)),
            )
            for lead in sorted(leads)
        }

    def _all_rows(self, owners: Mapping[str, Owner]) -> Iterator[Row]:
        for subject, owner in owners.items():
            facts = self.facts[subject]
            yield Row(subject, facts.get("kind", ""), facts, owner.lead_id, owner.request_id)

    def deal(self, lead: int = LEAD) -> DealLedger:
        return self.deals()[lead]

    def cards(self) -> dict[int, Wanted]:
        return {lead: card(ledger) for lead, ledger in self.deals().items()}

    def picture(self) -> bytes:
        """Ledger and wanted cards, byte for byte."""
        return orjson.dumps([self.facts, repr(self.owners()), repr(self.cards())], option=orjson.OPT_SORT_KEYS)


def card(ledger: DealLedger) -> Wanted:
    return render(ledger, texts("en"), link_base="https://pay.example", test=False)


def told_by(event: Mapping[str, Any], policy: str = "trust") -> dict[str, Known]:
    return under_policy(by_subject(facts_of(event, ACCOUNT)), policy)
