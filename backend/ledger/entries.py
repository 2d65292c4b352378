"""The Stripe objects of one deal with their facts, indexed by id and by the objects that they are linked to. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from backend.facts import Known, merge

FIRST, LATER = "subscription_create", "subscription_cycle"
"""Values of an invoice's ``billing_reason``: the first period of a subscription, one of the next
periods (docs/facts/stripe.md C6)."""


class Entry(Protocol):
    """One Stripe object with its facts and its owner; a row of the ledger is one."""

    @property
    def id(self) -> str:
        """The Stripe id, or that of a payment outside Stripe (``facts.outside_id``)."""

    @property
    def kind(self) -> str:
        """The kind of object: payment, session, invoice, subscription, refund or dispute;
        '' if only its id is known."""

    @property
    def facts(self) -> Known:
        """The merged facts, name → value; ``facts.JOINS`` gives their shapes."""

    @property
    def request_id(self) -> str | None:
        """The id of the payment request that the object belongs to, or None."""


@dataclass(frozen=True)
class Twins:
    """One entry for a Stripe object that two connections of the same Stripe account report, or that two deals share."""

    id: str
    kind: str
    facts: Known
    request_id: str | None


@dataclass(frozen=True)
class Entries:
    """The entries of one deal, indexed by id and by the objects that they are linked to."""

    all: tuple[Entry, ...]

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.all}

    @cached_property
    def _by_payment(self) -> dict[str, list[Entry]]:
        hanging: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.all:
            for payment in entry.facts.get("payment", ()):
                hanging[payment].append(entry)
        return hanging

    @cached_property
    def _by_kind(self) -> dict[str, list[Entry]]:
        kinds: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.all:
            kinds[entry.kind].append(entry)
        return kinds

    @cached_property
    def _payers(self) -> dict[str, dict[str, Entry]]:
        """Payments by the invoices, sessions and requests that they belong to. Stripe's ids and ours never collide."""
        payers: dict[str, dict[str, Entry]] = defaultdict(dict)
        for one in self.of_kind("payment"):
            for parent in (*one.facts.get("invoice", ()), *one.facts.get("session", ()), one.request_id):
                if parent:
                    payers[parent][one.id] = one
        return payers

    @cached_property
    def _invoices(self) -> dict[str, dict[str, Entry]]:
        """Invoices by their subscriptions."""
        invoices: dict[str, dict[str, Entry]] = defaultdict(dict)
        for one in self.of_kind("invoice"):
            for contract in one.facts.get("subscription", ()):
                invoices[contract][one.id] = one
        return invoices

    @cached_property
    def _firsts(self) -> dict[frozenset[str], Entry | None]:
        return {}

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of this kind, in the order of ``all``."""
        return self._by_kind.get(kind, [])

    def paying(self, parent: str) -> Iterable[Entry]:
        """Return the payments of this invoice, session or payment request (its id)."""
        return self._payers.get(parent, {}).values()

    def parents(self, entry: Entry, *names: str) -> list[Entry]:
        """Return the objects that the entry is linked to by these facts (such as
        "session", "invoice"), ordered by id."""
        ids = sorted({parent for name in names for parent in entry.facts.get(name, ())})
        return [self._by_id[one] for one in ids if one in self._by_id]

    def first_after_trial(self, invoice: Entry) -> Entry | None:
        """Return the first invoice of the same subscription that brought money, if the subscription began with a trial.

        None if there was no trial or no such invoice yet.
        """
        contract = frozenset(invoice.facts.get("subscription", ()))
        if contract not in self._firsts:
            invoices = {id_: one for name in contract for id_, one in self._invoices.get(name, {}).items()}.values()
            paid = [one for one in invoices if one.facts.get("asked", (0,))[0] > 0]
            began_free = any(_began_free(one, self) for one in invoices)
            self._firsts[contract] = min(paid, key=_paid_at, default=None) if began_free else None
        return self._firsts[contract]

    def payers_of(self, invoice: Entry) -> list[Entry]:
        """Return the payments of an invoice, of its session or of the request that it was made for, ordered by id."""
        parents = [invoice.id, *invoice.facts.get("session", ())]
        if invoice.request_id and "subscription" not in invoice.facts:
            parents.append(invoice.request_id)
        found = {one.id: one for parent in parents for one in self.paying(parent)}
        return [found[one] for one in sorted(found)]

    def hanging_on(self, payment: Entry, kind: str) -> list[Entry]:
        """Return the refunds or disputes (``kind``) of a payment."""
        return [one for one in self._by_payment.get(payment.id, ()) if one.kind == kind]


def each_once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries ordered by id, with those of the same id merged into one.

    A Stripe id belongs to one Stripe account: two connections that report the same id are connections of the same
    account. The sums must not depend on how often an admin connected it.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        found[entry.id] = _both(found[entry.id], entry) if entry.id in found else entry
    return tuple(found[one] for one in sorted(found))


def _both(one: Entry, other: Entry) -> Entry:
    requests = sorted(filter(None, (one.request_id, other.request_id)))
    return Twins(one.id, max(one.kind, other.kind), merge(one.facts, other.facts), next(iter(requests), None))


def _began_free(invoice: Entry, mine: Entries) -> bool:
    """True if the invoice shows a trial: the subscription's first invoice was paid with an amount of zero."""
    facts = invoice.facts
    nothing = "paid" in facts and facts.get("billing_reason") == FIRST and facts.get("asked", (1,))[0] == 0
    return nothing and not mine.paying(invoice.id)


def _paid_at(invoice: Entry) -> tuple[float, str]:
    return (invoice.facts.get("paid_at", 0.0), invoice.id)
