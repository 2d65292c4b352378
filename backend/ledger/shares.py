"""One payment that pays invoices of several deals: each deal has the shares that its InvoicePayments tell. Pure.

The deal that the payment belongs to keeps what no other deal's invoice took. A payment that names its deal itself, that
a person attached, or that has a deal of its own is not divided.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from backend.facts import Known
from backend.ledger.entries import Entry, Twins
from backend.ledger.ownership import Book, ancestry
from backend.ledger.parts import Dispute, Payment, Refund

Part = TypeVar("Part", Refund, Dispute)
UNDIVIDED = frozenset(("attached", "period", "lead", "request"))
WHOLE_RANK = 4
"""Of ``received``: the whole payment is known, by its own word or by the sum of its parts."""
ROW_RANK = 3


class OwnedEntry(Entry, Protocol):
    @property
    def lead_id(self) -> int | None: ...


@dataclass(frozen=True)
class Portion:
    """``own`` of ``whole``; without ``own`` it is what the ``others``, one number for each deal, leave of it."""

    whole: int
    own: int | None
    others: tuple[int, ...] = ()

    def of(self, amount: int) -> int:
        """Its part of any amount; the parts of all deals together are the amount."""
        if self.own is not None:
            return amount * self.own // self.whole
        return amount - sum(amount * other // self.whole for other in self.others)


def wanted(mine: Iterable[Entry]) -> set[str]:
    """Ids of payments and invoices, not in ``mine``, that may share with it."""
    entries = {entry.id: entry.facts for entry in mine}
    payments = {one for facts in entries.values() for one in facts.get("parts", ())}
    several = (facts["invoice"] for facts in entries.values() if len(facts.get("invoice", ())) > 1)
    return payments.union(*several) - entries.keys()


def sharing(changed: Iterable[str], book: Book) -> set[str]:
    """``changed``, and what else in ``book`` shares a payment with it: several invoices, and all that pay them."""
    touched = set(changed)
    payments = {one for subject in touched for one in ancestry(subject, book)}
    several = (
        known["invoice"]
        for one, known in book.items()
        if len(known.get("invoice", ())) > 1 and (one in payments or touched & {*known["invoice"]})
    )
    invoices = set[str]().union(*several)
    payers = {one for one, known in book.items() if invoices & {*known.get("invoice", ())}}
    return touched | payers | (invoices & book.keys())


def divided(mine: Iterable[Entry], beside: Iterable[OwnedEntry]) -> tuple[tuple[Entry, ...], Mapping[str, Portion]]:
    """The entries with the payments that pay this deal's invoices, too, and which part of each payment is here."""
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
    """None where the payment is wholly here, or wholly elsewhere."""
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
    """A row tells its own share only; the sum of the shares is what is known, then."""
    rank, amount, currency = facts.get("received", (0, 0, ""))
    return (max(amount, told) if rank == ROW_RANK else amount), currency


def cut(payment: Payment, portion: Portion | None) -> Payment:
    """The payment as this deal has it; refunds and disputes are divided as the payment is."""
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
    )


@dataclass
class Back:
    """What went back, part by part: the cents are rounded by the sum, so that the whole is this deal's whole share."""

    portion: Portion
    before: int = 0

    def next(self, amount: int) -> int:
        self.before += amount
        return self.portion.of(self.before) - self.portion.of(self.before - amount)


def _cut(part: Part, back: Back) -> Part:
    if part.worth is None:
        return replace(part, amount=back.next(part.amount))
    worth = replace(part.worth, amount=back.next(part.worth.amount))
    return replace(part, amount=back.portion.of(part.amount), worth=worth)
