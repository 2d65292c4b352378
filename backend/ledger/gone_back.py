"""Refunds and disputes of one payment, in the payment's currency and without the release of a hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

from backend.facts import Known
from backend.ledger.parts import Dispute, Refund, Worth, worth_of

CAPTURE_SECONDS = 60.0
"""A refund of exactly the uncaptured amount counts as its release if Stripe made it at most this long after the
capture (docs/facts/stripe.md C8)."""

EVENT_SECONDS = 60.0
"""An event may be created this long before the refund that it reports."""

Pair = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Whole:
    """The payment of a refund or dispute: its received amount (minor units), the amount that the payer saw and the
    amount that was held but not captured."""

    amount: int
    currency: str
    paid_at: float
    presentment: Pair | None
    released: Pair | None


def refund_of(subject: str, facts: Known, whole: Whole) -> Refund:
    """Return the refund with this Stripe id. ``worth`` is set if its currency is not that of the payment, ``whole``."""
    amount, currency = facts.get("asked", (0, ""))
    status, at = facts.get("refund_status", "pending"), facts.get("at", 0.0)
    worth = _worth((amount, currency), facts, whole)
    return Refund(subject, amount, currency, status, at, worth, facts.get("undone_at"))


def dispute_of(subject: str, facts: Known, whole: Whole) -> Dispute:
    """Return the dispute with this Stripe id. Its status is the last word of its own history (decision 0014).

    Before its facts arrive: amount 0, currency '' and ``needs_response``. ``whole``: the payment's amounts, from which
    the dispute's value follows.
    """
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
    """Return a part's value in the payment's currency; None if it is in that currency already.

    The amount withdrawn from the balance decides, else the share of the amount that the payer saw. If neither is known,
    the value is the whole payment.
    """
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


def told_by_total(refunds: Sequence[Refund], totals: Sequence[Sequence[float]]) -> Sequence[Refund]:
    """Return the refunds; the only one in another currency whose value is not known gets what the latest running total
    leaves of itself (``totals`` as for ``untold``), if that total includes it."""
    unknown = [one for one in refunds if one.counts and one.worth and not one.worth.known]
    if len(unknown) != 1 or not totals or totals[-1][0] + EVENT_SECONDS < unknown[0].at:
        return refunds
    others = (one for one in refunds if one.counts and one is not unknown[0] and one.at <= totals[-1][0])
    amount = int(totals[-1][1]) - sum(worth_of(one) for one in others)
    worth = unknown[0].worth
    if worth is None or not 0 < amount <= worth.amount:
        return refunds
    known = replace(unknown[0], worth=replace(worth, amount=amount, known=True))
    return [known if one is unknown[0] else one for one in refunds]


def untold(totals: Sequence[Sequence[float]], refunds: Sequence[Refund]) -> int | None:
    """Return the part of the latest running total that ``refunds`` do not explain, in
    minor units; None without a total.

    ``totals``: epoch seconds, ``charge.amount_refunded`` and, if the event names it, the total before the event. Stripe
    does not document whether a failed refund is subtracted from the total again (docs/facts/stripe.md C8); the totals
    themselves show it. While they do not, known refunds that came with the latest total explain it if they reach it,
    and refunds that had failed by then explain nothing.
    """
    if not totals:
        return None
    at, total = totals[-1][0], int(totals[-1][1])
    since = max((one[0] for one in totals if one[0] < at), default=0.0)
    made = [refund for refund in refunds if refund.at <= at + EVENT_SECONDS]
    unexplained = total - sum(worth_of(refund) for refund in made)
    keeps = _keeps_failed(totals, made)
    if keeps or (keeps is None and unexplained <= 0 and any(refund.at > since for refund in made)):
        return max(0, unexplained)
    standing = (refund for refund in made if not _failed_before(refund, at, since))
    return max(0, total - sum(worth_of(refund) for refund in standing))


def _failed_before(refund: Refund, at: float, since: float) -> bool:
    """True if a refund had failed when a total was reported at ``at``, the total before it at ``since``."""
    if refund.undone_at is None or refund.undone_at > at:
        return False
    return refund.undone_at < at or refund.at <= since


def _keeps_failed(totals: Sequence[Sequence[float]], refunds: Sequence[Refund]) -> bool | None:
    """True if the totals still hold a refund that had failed, False if it was subtracted from them, None if they do
    not show it. A total that grew by nothing lost something before: each event reports a new refund."""
    for (earlier, amount, *_), (at, total, *named) in pairwise(totals):
        if earlier < at and (named[0] if named else total - 1) < amount:
            return False
        failed = any(one.at <= earlier < (one.undone_at or 0.0) <= at for one in refunds)
        if failed and named == [amount]:
            return True
    return None


def true_refunds(refunds: Iterable[Refund], whole: Whole) -> Sequence[Refund]:
    """Return the refunds, oldest first, without the one that Stripe made for a partial
    capture (docs/facts/stripe.md C8)."""
    in_time = sorted(refunds, key=lambda refund: (refund.at, refund.id))
    latest = whole.paid_at + CAPTURE_SECONDS
    done = (refund for refund in in_time if refund.outcome == "succeeded" and refund.at <= latest)
    release = next((refund for refund in done if (refund.amount, refund.currency) == whole.released), None)
    return [refund for refund in in_time if refund is not release]
