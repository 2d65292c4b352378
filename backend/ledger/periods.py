"""Periods of a subscription: which payment is a renewal, and which renewal could not be charged. Pure."""

from backend.ledger.entries import LATER, Entries, Entry
from backend.ledger.invoice_sums import explained
from backend.ledger.parts import Renewal


def renewal_failed(entry: Entry) -> bool:
    """True if the charge for a later period failed. Other invoices are charged while a person is
    present and sees the failure."""
    return "failed_at" in entry.facts and entry.facts.get("billing_reason") == LATER


def renews(invoice: Entry, mine: Entries) -> bool:
    """True if a payment of the invoice is a renewal: a later period, except the first that brings money after a trial.

    Mid-period changes, thresholds and manual invoices are payments of their own
    (``billing_reason``, docs/facts/stripe.md C6).
    """
    return invoice.facts.get("billing_reason") == LATER and invoice is not mine.first_after_trial(invoice)


def failed_renewal(entry: Entry, mine: Entries) -> Renewal:
    """Return the renewal of an invoice whose charge failed, with the amount that its known payments leave due."""
    amount, currency = entry.facts.get("due", (0, ""))
    amount -= explained(entry.id, entry.facts, {one.id: one.facts for one in mine.payers_of(entry)})
    ended = any("ended" in one.facts for one in mine.parents(entry, "subscription"))
    healed = ended or bool({"paid", "written_off"} & entry.facts.keys())
    return Renewal(entry.id, max(0, amount), currency, entry.facts["failed_at"], healed)
