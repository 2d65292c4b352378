"""A fact: one thing that is known about one Stripe object. Merging facts is a join.

``JOINS`` gives each name its rule. Every rule is commutative, associative and idempotent, so any order of events,
any repeats and any subset that later arrives give the same ledger. ``event.created`` decides nothing but the last
try that was declined, and of a dispute what its own movements of money leave open (decision 0014).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Value = Any  # a JSON value
Known = dict[str, Value]
"""All facts about one object: name → value."""

PARENTS = frozenset(("session", "invoice", "subscription", "payment"))
"""Facts that tie a child to its parent: a payment to its session, a refund to its payment."""

SESSION_STATUS = ("open", "expired", "complete")
PAYMENT_STATUS = ("unpaid", "no_payment_required", "paid")
REFUND_STATUS = ("pending", "requires_action", "succeeded", "canceled", "failed")
DISPUTE_STATUS = (
    "prevented",
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "lost",
    "won",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about the Stripe object ``subject`` (pi_, ch_, cs_, in_, sub_, re_, du_); ``value`` is JSON.

    ``name`` is a key of ``JOINS``. Amounts are in minor units, times in Unix seconds.
    """

    subject: str
    name: str
    value: Value


def _greatest(a: Value, b: Value) -> Value:
    return max(a, b)


def _least(a: Value, b: Value) -> Value:
    return min(a, b)


def _union(a: list[str], b: list[str]) -> list[str]:
    return sorted({*a, *b})


def _each_greatest(a: Known, b: Known) -> Known:
    return {key: max(one for one in (a.get(key), b.get(key)) if one is not None) for key in sorted({*a, *b})}


def _last_fifty(a: list[list[Value]], b: list[list[Value]]) -> list[list[Value]]:
    """The union, cut to the last 50 entries: no bank or shop changes a decision so often."""
    return [list(one) for one in sorted({tuple(one) for one in [*a, *b]})[-50:]]


def _furthest(order: tuple[str, ...]) -> Callable[[str, str], str]:
    def rank(value: str) -> tuple[int, str]:
        return (order.index(value) if value in order else -1, value)

    return lambda a, b: max(a, b, key=rank)


JOINS: Mapping[str, Callable[[Value, Value], Value]] = {
    "kind": _least,
    # money
    "received": _greatest,  # [rank of the source, amount, currency]; the most reliable source has the highest rank
    "paid_at": _least,
    "paid_with": _greatest,  # [type, brand, last four] of the successful charge
    "asked": _greatest,  # [amount, currency]
    "came_to": _greatest,  # [amount, currency] of a complete session: less than asked after a discount
    "processing": _greatest,  # when a delayed method was last under way
    "canceled": _greatest,  # when; True in rows of the first releases
    "outside": _greatest,  # paid outside Stripe
    "decline": _greatest,  # [when, reason, code]: the last try; rows of the first release lack the code
    "totals": _last_fifty,  # [when, amount, amount before if named]: "refunded_total" at each report
    "by_total": _greatest,  # reported to an endpoint that learns of card refunds only by the total
    "undone_at": _least,  # when a refund failed or was cancelled
    "refunded_total": _greatest,  # a running total that Stripe reports
    "released": _greatest,  # [amount, currency] authorized and not captured
    "split": _greatest,  # [subtotal, discount, shipping, tax]
    "presentment": _greatest,  # [amount, currency] as the buyer saw it
    # session, invoice, subscription
    "status": _furthest(SESSION_STATUS),
    "payment_status": _furthest(PAYMENT_STATUS),
    "mode": _least,
    "async_failed": _least,  # when
    "completed_at": _least,
    "billing_reason": _least,
    "paid": _greatest,
    "parts": _each_greatest,  # parts of an invoice: payment → [rank of the source, amount, currency]
    "written_off": _greatest,  # void or uncollectible: its money is no longer expected
    "failed_at": _greatest,
    "due": _greatest,  # [amount, currency] of a charge that failed
    "ended": _least,
    # refund, dispute
    "refund_status": _furthest(REFUND_STATUS),
    "booked": _greatest,  # [amount, currency] that it took from the balance
    "dispute_status": _furthest(DISPUTE_STATUS),  # rows of 0.1.0 have no turn
    "turn": _greatest,  # [movements of money, decided, when, index in DISPUTE_STATUS, status]: the last counts
    "verdicts": _last_fifty,  # [movements, when, won or lost] of each decision
    "inquiry": _greatest,  # it began as one
    "method": _least,  # payment method of the disputed payment
    "appeal": _greatest,
    "reason": _least,
    "due_by": _greatest,
    "at": _least,
    # ownership
    "foreign": _greatest,  # marked for another Kommo account
    "marked": _greatest,  # metadata says that it is ours
    "lead": _least,  # [0 with our account id, 1 without; the deal], from metadata
    "snapshot": _least,  # like "lead": the contract's metadata when the invoice was created
    "snapshot_foreign": _greatest,  # that metadata named another Kommo account
    "first_lead": _least,  # [when, *lead] of a contract, from its invoices
    "last_lead": _greatest,
    "bare_lead": _least,  # a bare client_reference_id
    "trusted": _greatest,  # received while its connection trusted bare references
    "wrong": _union,  # its unusable parts, as sentences
    "events": _union,  # events that named a deal: a problem of the deal is a problem of theirs
    "request": _least,
    "crowd": _greatest,  # found without a webhook, together with payments of many other deals
    "attached": _greatest,  # [sequence, lead or 0], set by a person: the latest wins
    "period": _least,  # the deal created for this renewal
    # links
    "session": _union,
    "invoice": _union,
    "subscription": _union,
    "payment": _union,
}


WHOLE_INVOICE_RANK = 1
"""Rank of a ``received`` known only from the invoice: its whole amount, even if other payments covered parts."""


def outside_id(invoice: str) -> str:
    """The id of the payment for the amount that an invoice received outside Stripe, where Stripe has no payment
    object."""
    return f"{invoice}:outside"


def merge(known: Mapping[str, Value], more: Mapping[str, Value]) -> Known:
    """The join of known and new facts of one object, sorted by name. Raises ``KeyError`` if a repeated name has no
    join."""
    merged = dict(known)
    for name, value in more.items():
        merged[name] = JOINS[name](merged[name], value) if name in merged else value
    return dict(sorted(merged.items()))


def by_subject(facts: Iterable[Fact]) -> dict[str, Known]:
    """The facts merged per Stripe object: subject → name → value."""
    gathered: dict[str, Known] = {}
    for fact in facts:
        gathered[fact.subject] = merge(gathered.get(fact.subject, {}), {fact.name: fact.value})
    return gathered


def turning_points(before: Known, after: Known) -> list[str]:
    """The names of the log lines for the changes between two states of an object's facts."""
    new = {name: value for name, value in after.items() if before.get(name) != value}
    kind = after.get("kind")
    return [line for of, line, happened in _TURNS if of == kind and happened(before, new)]


def _has_received(known: Known) -> bool:
    return bool(known.get("received", (0, 0))[1])


def _gave_back(before: Known, new: Known) -> bool:
    return new.get("refund_status") == "succeeded" and "undone_at" not in before


_TURNS: tuple[tuple[str, str, Callable[[Known, Known], bool]], ...] = (
    ("payment", "payment received", lambda before, new: _has_received(new) and not _has_received(before)),
    ("payment", "payment failed", lambda _, new: "decline" in new),
    ("refund", "refund succeeded", _gave_back),
    ("refund", "refund failed", lambda before, new: "undone_at" in new and "undone_at" not in before),
    ("dispute", "dispute opened", lambda before, _: "kind" not in before),
    ("dispute", "dispute closed", lambda _, new: "verdicts" in new),
    ("subscription", "subscription ended", lambda before, new: "ended" in new and "ended" not in before),
)
