"""An invoice's amount against the payments that explain it. Pure."""

from collections import defaultdict
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


def payers(book: Book) -> dict[str, dict[str, Known]]:
    """The payments in ``book`` by the invoices and sessions that they hang on."""
    found: dict[str, dict[str, Known]] = defaultdict(dict)
    for one, known in book.items():
        if known.get("kind") == "payment":
            for parent in (*known.get("invoice", ()), *known.get("session", ())):
                found[parent][one] = known
    return found


def unexplained(invoice_id: str, book: Book, paying: Mapping[str, Mapping[str, Known]]) -> Unexplained | None:
    """None where its payments are known. ``book`` must hold them, and all that it hangs on; ``paying`` is what
    ``payers`` finds in it."""
    facts = book[invoice_id]
    parents = (invoice_id, *facts.get("session", ()))
    payments = {one: known for parent in parents for one, known in paying.get(parent, {}).items()}
    amount, currency = facts["asked"]
    if outside_id(invoice_id) in payments or explained(invoice_id, facts, payments) >= amount:
        return None
    line = frozenset(ancestry(invoice_id, book))
    return Unexplained(invoice_id, line, (amount, currency), facts.get("paid_at"))


def hung_on(invoice_ids: list[str], book: Book) -> set[str]:
    """What the payments of these invoices hang on: they themselves and their sessions."""
    return {*invoice_ids} | {p for one in invoice_ids for p in parents_of(book[one]) if p.startswith("cs_")}
