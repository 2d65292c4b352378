"""Periods of a subscription: which payment renews it, and which renewal could not be charged. Pure."""

from backend.ledger.entries import LATER, Entries, Entry
from backend.ledger.invoice_sums import explained
from backend.ledger.parts import Renewal


def renewal_failed(entry: Entry) -> bool:
    """Of other invoices the payer is at the page, or whoever made them is."""
    return "failed_at" in entry.facts and entry.facts.get("billing_reason") == LATER


def renews(invoice: Entry, mine: Entries) -> bool:
    """Whether a payment of it is a renewal: a later period; after a trial the first that brings money is none.

    A change in the middle of a period, a threshold and an invoice made by hand are payments of their own.
    """
    return invoice.facts.get("billing_reason") == LATER and invoice is not mine.first_after_trial(invoice)


def failed_renewal(entry: Entry, mine: Entries) -> Renewal:
    amount, currency = entry.facts.get("due", (0, ""))
    amount -= explained(entry.id, entry.facts, {one.id: one.facts for one in mine.payers_of(entry)})
    ended = any("ended" in one.facts for one in mine.parents(entry, "subscription"))
    healed = ended or bool({"paid", "written_off"} & entry.facts.keys())
    return Renewal(entry.id, max(0, amount), currency, entry.facts["failed_at"], healed)
