"""An invoice's amount against the payments that explain it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.facts import Known, outside_id
from backend.ledger.ownership import Book, ancestry, parents_of


@dataclass(frozen=True, slots=True)
class Unexplained:
    """An invoice of ours that took more money than its known payments. ``line``: itself and all that it hangs on."""

    invoice: str
    line: frozenset[str]
    total: tuple[int, str]
    paid_at: float | None


def explained(invoice_id: str, invoice: Known, payments: Mapping[str, Known]) -> int:
    """The sum of what is known of its payments. ``payments``: those that hang on it or on its session, by id.

    Of a payment that pays several invoices only the part counts that its InvoicePayment tells.
    """
    known = {one: facts["received"][1] for one, facts in payments.items() if "received" in facts}
    known |= {one: part[1] for one, part in invoice.get("parts", {}).items()}
    known.pop(outside_id(invoice_id), None)
    return sum(known.values())


def took_money(invoice: Known) -> bool:
    return bool(invoice.get("kind") == "invoice" and invoice.get("asked", (0,))[0] > 0)


def payers_of(invoice_id: str, book: Book) -> dict[str, Known]:
    """The payments in ``book`` that hang on the invoice, or with it on one session."""
    sessions = {*book[invoice_id].get("session", ())}
    return {
        one: known
        for one, known in book.items()
        if known.get("kind") == "payment"
        and (invoice_id in known.get("invoice", ()) or sessions & {*known.get("session", ())})
    }


def unexplained(invoice_id: str, book: Book) -> Unexplained | None:
    """None where its payments are known. ``book`` must hold them, and all that it hangs on."""
    facts = book[invoice_id]
    payments = payers_of(invoice_id, book)
    amount, currency = facts["asked"]
    if outside_id(invoice_id) in payments or explained(invoice_id, facts, payments) >= amount:
        return None
    line = frozenset(ancestry(invoice_id, book))
    return Unexplained(invoice_id, line, (amount, currency), facts.get("paid_at"))


def hung_on(invoice_ids: list[str], book: Book) -> set[str]:
    """What the payments of these invoices hang on: they themselves and their sessions."""
    return {*invoice_ids} | {p for one in invoice_ids for p in parents_of(book[one]) if p.startswith("cs_")}
