"""Refunds and disputes of one payment, in its own currency and without what was only held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from backend.facts import Known
from backend.ledger.parts import Dispute, Refund, Worth

CAPTURE_SECONDS = 60.0
"""A refund of just what was not captured, made no later than so long after the capture, is the release of it."""

Pair = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Whole:
    """The payment: what it brought, what the payer saw, what of it was held and not captured."""

    amount: int
    currency: str
    paid_at: float
    presentment: Pair | None
    released: Pair | None


def refund_of(subject: str, facts: Known, whole: Whole) -> Refund:
    amount, currency = facts.get("asked", (0, ""))
    status, at = facts.get("refund_status", "pending"), facts.get("at", 0.0)
    return Refund(subject, amount, currency, status, at, _worth((amount, currency), facts, whole))


def dispute_of(subject: str, facts: Known, whole: Whole) -> Dispute:
    amount, currency = facts.get("asked", (0, ""))
    status = facts["turn"][-1] if "turn" in facts else facts.get("dispute_status", "needs_response")
    return Dispute(
        id=subject,
        amount=amount,
        currency=currency,
        status=status,
        reason=facts.get("reason", ""),
        at=facts.get("at", 0.0),
        due_by=facts.get("due_by"),
        appeal=facts.get("appeal"),
        worth=_worth((amount, currency), facts, whole),
        was_inquiry=bool(facts.get("inquiry")),
        method=facts.get("method", ""),
        decided=_decided(status, facts),
    )


def _decided(status: str, facts: Known) -> int:
    verdicts = [verdict for verdict, _ in groupby(turn[-1] for turn in facts.get("verdicts", ()))]
    return max(1, verdicts.count(status))


def _worth(part: Pair, facts: Known, whole: Whole) -> Worth | None:
    """By what it took from the balance, else by its share of what the payer saw; else the payment's own amount."""
    amount, currency = part
    if not currency or currency == whole.currency:
        return None
    booked = facts.get("booked")
    if booked and booked[1] == whole.currency:
        return Worth(min(whole.amount, booked[0]), whole.currency, known=True)
    seen = whole.presentment
    if seen and seen[1] == currency and seen[0]:
        share = Fraction(min(amount, seen[0]) * whole.amount, seen[0])
        return Worth(int(share + Fraction(1, 2)), whole.currency, known=True)
    return Worth(whole.amount, whole.currency, known=False)


def true_refunds(refunds: Iterable[Refund], whole: Whole) -> Sequence[Refund]:
    """Without the one that Stripe made when less was captured than held."""
    in_time = sorted(refunds, key=lambda refund: (refund.at, refund.id))
    latest = whole.paid_at + CAPTURE_SECONDS
    done = (refund for refund in in_time if refund.outcome == "succeeded" and refund.at <= latest)
    release = next((refund for refund in done if (refund.amount, refund.currency) == whole.released), None)
    return [refund for refund in in_time if refund is not release]
