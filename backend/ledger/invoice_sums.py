"""Compare an invoice's amount with the payments that explain it. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from backend.facts import Known, outside_id
from backend.ledger.ownership import Book, ancestry, parents_of


@dataclass(frozen=True, slots=True)
class Unexplained:
    """One of our invoices that took more money than its known payments.

    ``line``: the ids of the invoice and its ancestors. ``total``: (minor units, currency). ``paid_at``: epoch seconds.
    """

    invoice: str
    line: frozenset[str]
    total: tuple[int, str]
    paid_at: float | None


def explained(invoice_id: str, invoice: Known, payments: Mapping[str, Known]) -> int:
    """Return the sum of an invoice's known payments in minor units.

    ``payments``: payments of the invoice or of its session, by id. If an InvoicePayment gives a payment's share, the
    share counts, because one payment may pay several invoices (docs/facts/stripe.md C1).
    """
    known = {one: facts["received"][1] for one, facts in payments.items() if "received" in facts}
    known |= {one: part[1] for one, part in invoice.get("parts", {}).items()}
    known.pop(outside_id(invoice_id), None)
    return sum(known.values())


def came_outside(invoice_id: str, invoice: Known, told: int, payments: Mapping[str, Known]) -> int:
    """Return the amount that an invoice received outside Stripe, in minor units.

    ``told``: the amount that was paid when that part was inferred. The invoice may have been paid further since, and
    payments that were unknown then may explain some of it (``payments`` as for ``explained``).
    """
    whole: int = max(told, invoice.get("asked", (0,))[0])
    return max(0, min(told, whole - explained(invoice_id, invoice, payments)))


def took_money(invoice: Known) -> bool:
    """True if the facts are those of an invoice that was paid wholly or in part, with an amount above zero."""
    return bool(invoice.get("kind") == "invoice" and invoice.get("asked", (0,))[0] > 0)


def payers(book: Book) -> dict[str, dict[str, Known]]:
    """Return the payments in ``book`` by the ids of their invoices and sessions: parent id → payment id → facts."""
    found: dict[str, dict[str, Known]] = defaultdict(dict)
    for one, known in book.items():
        if known.get("kind") == "payment":
            for parent in (*known.get("invoice", ()), *known.get("session", ())):
                found[parent][one] = known
    return found


def unexplained(invoice_id: str, book: Book, paying: Mapping[str, Mapping[str, Known]]) -> Unexplained | None:
    """Return the invoice with its ancestors if its known payments do not explain its amount, else None.

    ``book`` must hold its payments and its ancestors; ``paying`` is the result of ``payers(book)``.
    """
    facts = book[invoice_id]
    parents = (invoice_id, *facts.get("session", ()))
    payments = {one: known for parent in parents for one, known in paying.get(parent, {}).items()}
    amount, currency = facts["asked"]
    told = payments.get(outside_id(invoice_id), {}).get("received", (0, 0))[1]
    outside = came_outside(invoice_id, facts, told, payments)
    if explained(invoice_id, facts, payments) + outside >= amount:
        return None
    line = frozenset(ancestry(invoice_id, book))
    return Unexplained(invoice_id, line, (amount, currency), facts.get("paid_at"))


def hung_on(invoice_ids: list[str], book: Book) -> set[str]:
    """Return the ids that the payments of these invoices are linked to: the invoices themselves and their sessions."""
    return {*invoice_ids} | {p for one in invoice_ids for p in parents_of(book[one]) if p.startswith("cs_")}
