"""Divide one payment that pays invoices of several deals: each deal gets the shares of its InvoicePayments. Pure.

The payment's own deal keeps what no other deal's invoice took. A payment is not divided if it names its deal itself, if
a person attached it, or if it has a deal of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from backend.facts import WHOLE_INVOICE_RANK, Known, outside_id
from backend.ledger.entries import Entry, Twins
from backend.ledger.ownership import Book, ancestry
from backend.ledger.parts import Dispute, Payment, Refund

Part = TypeVar("Part", Refund, Dispute)
UNDIVIDED = frozenset(("attached", "period", "lead", "request"))
"""Facts of a payment that keep it whole."""
WHOLE_RANK = 4
"""The rank of a ``received`` fact with the whole amount, reported by the payment itself or summed up from its parts."""
ROW_RANK = 3
"""The rank of a ``received`` fact with the share of one InvoicePayment."""


class OwnedEntry(Entry, Protocol):
    """An entry that knows its deal."""

    @property
    def lead_id(self) -> int | None:
        """The Kommo id of the deal, or None."""


@dataclass(frozen=True)
class Portion:
    """A deal's share of a payment: ``own`` of ``whole``, in minor units.

    If ``own`` is None, the deal has what the ``others`` (one amount for each other deal) leave of the whole.
    """

    whole: int
    own: int | None
    others: tuple[int, ...] = ()

    def of(self, amount: int) -> int:
        """Return this deal's part of an amount in minor units; the parts of all deals add up to the amount."""
        if self.own is not None:
            return amount * self.own // self.whole
        return amount - sum(amount * other // self.whole for other in self.others)


def wanted(mine: Iterable[Entry]) -> set[str]:
    """Return the ids of payments and invoices outside ``mine`` that may share a payment with it, or on which the amount
    of one of its payments depends."""
    entries = {entry.id: entry.facts for entry in mine}
    payments = {one for facts in entries.values() for one in facts.get("parts", ())}
    invoices = (facts["invoice"] for facts in entries.values() if _is_shared(facts) or _is_rest(facts))
    return payments.union(*invoices) - entries.keys()


def _is_shared(payment: Known) -> bool:
    return len(payment.get("invoice", ())) > 1


def _is_rest(payment: Known) -> bool:
    """True if only the whole amount of its invoice is known, from which other payments are subtracted."""
    return "invoice" in payment and payment.get("received", (0,))[0] == WHOLE_INVOICE_RANK


def sharing(changed: Iterable[str], book: Book) -> set[str]:
    """Return the ids in ``changed`` and those of all entries in ``book`` that share a payment with them.

    A payment with several invoices ties together these invoices and all their payments. The amount that an invoice
    received outside Stripe depends on its other payments.
    """
    touched = set(changed)
    near = touched.union(*(book[one].get("invoice", ()) for one in touched if one in book))
    outside = {outside_id(one) for one in near} & book.keys()
    payments = {one for subject in touched for one in ancestry(subject, book)}
    several = (
        known["invoice"]
        for one, known in book.items()
        if len(known.get("invoice", ())) > 1 and (one in payments or touched & {*known["invoice"]})
    )
    invoices = set[str]().union(*several)
    payers = {one for one, known in book.items() if invoices & {*known.get("invoice", ())}}
    return touched | payers | outside | (invoices & book.keys())


def divided(mine: Iterable[Entry], beside: Iterable[OwnedEntry]) -> tuple[tuple[Entry, ...], Mapping[str, Portion]]:
    """Return the deal's entries, including payments of other deals that pay its invoices,
    and the portion of each payment.

    ``beside``: entries of other deals. The portions are keyed by payment id; an undivided payment has none.
    """
    entries = {entry.id: entry for entry in mine}
    others = {entry.id: entry for entry in beside if entry.id not in entries}
    portions: dict[str, Portion] = {}
    if not others:
        return (*entries.values(),), portions
    for payment in [*entries.values(), *others.values()]:
        if payment.kind == "payment" and not UNDIVIDED & payment.facts.keys():
            found = _shared(payment, entries, others)
            if found is not None:
                entries[payment.id], portions[payment.id] = found
    hanging = [one for one in others.values() if {*one.facts.get("payment", ())} & portions.keys()]
    return (*entries.values(), *hanging), portions


def _shared(
    payment: Entry, entries: Mapping[str, Entry], others: Mapping[str, OwnedEntry]
) -> tuple[Entry, Portion] | None:
    """Return the payment as this deal has it and its portion; None if it belongs wholly to this deal or to another."""
    invoices = payment.facts.get("invoice", ())
    here = {one: _part(payment, entries[one].facts) for one in invoices if one in entries}
    there: dict[int, int] = defaultdict(int)
    for one in invoices:
        if one in others and others[one].lead_id:
            there[others[one].lead_id or 0] += _part(payment, others[one].facts)
    whole, currency = _whole(payment.facts, sum(here.values()) + sum(there.values()))
    is_guest = payment.id not in entries
    if not 0 < sum(here.values() if is_guest else there.values()) <= whole:
        return None
    own = sum(here.values()) if is_guest else None
    facts = payment.facts | {"invoice": sorted(here), "received": [WHOLE_RANK, whole, currency]}
    request_id = payment.request_id
    if is_guest:
        request_id = next((entries[one].request_id for one in sorted(here) if entries[one].request_id), None)
    return Twins(payment.id, "payment", facts, request_id), Portion(whole, own, tuple(there.values()))


def _part(payment: Entry, invoice: Known) -> int:
    return int(invoice.get("parts", {}).get(payment.id, (0, 0))[1])


def _whole(facts: Known, told: int) -> tuple[int, str]:
    """Return (amount, currency) of a payment. An InvoicePayment reports only its own share, so
    the sum of the shares counts."""
    rank, amount, currency = facts.get("received", (0, 0, ""))
    return (max(amount, told) if rank == ROW_RANK else amount), currency


def cut(payment: Payment, portion: Portion | None) -> Payment:
    """Return the payment reduced to this deal's portion; refunds and disputes are divided as the payment is."""
    if portion is None:
        return payment
    amount, back = portion.of(payment.amount), Back(portion)
    refunds = tuple(_cut(one, back if one.counts else Back(portion)) for one in payment.refunds)
    untold = back.next(payment.refunded_untold)
    disputes = tuple(_cut(one, back if one.state == "lost" else Back(portion)) for one in payment.disputes)
    return replace(
        payment,
        amount=amount,
        paid_at=payment.paid_at if amount else None,
        refunded_total=portion.of(payment.refunded_total),
        refunds=refunds,
        disputes=disputes,
        untold=untold,
        presentment=payment.presentment and (portion.of(payment.presentment[0]), payment.presentment[1]),
        split=None,
        shared=True,
    )


@dataclass
class Back:
    """Divides consecutive refunds and disputes of a payment.

    Each part is rounded by the running sum, so that together they give this deal's exact share of the sum.
    """

    portion: Portion
    before: int = 0

    def next(self, amount: int) -> int:
        """Return this deal's part of the next amount, in minor units."""
        self.before += amount
        return self.portion.of(self.before) - self.portion.of(self.before - amount)


def _cut(part: Part, back: Back) -> Part:
    if part.worth is None:
        return replace(part, amount=back.next(part.amount))
    worth = replace(part.worth, amount=back.next(part.worth.amount))
    return replace(part, amount=back.portion.of(part.amount), worth=worth)
