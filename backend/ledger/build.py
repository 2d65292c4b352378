"""Build a deal's ledger from its entries and requests. Pure: only the facts and the owners decide."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from backend.facts import WHOLE_INVOICE_RANK, Known, outside_id
from backend.ledger.deal import DealLedger, Dispute, Payment, Refund, Request, SessionState
from backend.ledger.entries import Entries, Entry, each_once
from backend.ledger.gone_back import Whole, dispute_of, refund_of, told_by_total, true_refunds, untold
from backend.ledger.invoice_sums import came_outside, explained
from backend.ledger.parts import Decline, Method
from backend.ledger.periods import failed_renewal, renewal_failed, renews
from backend.ledger.shares import OwnedEntry, cut, divided

Part = TypeVar("Part", Refund, Dispute)


def deal_ledger(
    entries: Iterable[Entry],
    requests: Iterable[Request],
    *,
    beside: Iterable[OwnedEntry] = (),
    account_currency: str,
    livemode: bool,
    now: float,
    emptied: bool = False,
    merged: tuple[int, ...] = (),
) -> DealLedger:
    """Return the ledger of one deal from its ``entries`` and its ``requests`` (without sessions), both in any order.

    ``beside``: entries of other deals, or of none, that may share a payment or an invoice with this one.
    ``account_currency``: upper-case ISO code. ``now``: epoch seconds. ``emptied`` and ``merged``: see ``DealLedger``.
    """
    beside = (*beside,)
    shared, portions = divided(each_once(entries), beside)
    mine = Entries(each_once(shared))
    here = {one.id for one in shared}
    known = Entries((*mine.all, *each_once(one for one in beside if one.id not in here))) if beside else mine
    received = [(one, received_sum(one, known)) for one in mine.of_kind("payment") if not _is_refuted(one, known)]
    return DealLedger(
        account_currency=account_currency,
        livemode=livemode,
        requests=_with_sessions(requests, mine),
        payments=tuple(cut(_payment(one, sum_, mine, livemode), portions.get(one.id)) for one, sum_ in received),
        ended_subscriptions=tuple(
            (entry.id, entry.facts["ended"]) for entry in mine.of_kind("subscription") if "ended" in entry.facts
        ),
        failed_renewals=tuple(failed_renewal(one, mine) for one in mine.of_kind("invoice") if renewal_failed(one)),
        now=now,
        emptied=emptied,
        merged=merged,
    )


def _with_sessions(requests: Iterable[Request], mine: Entries) -> tuple[Request, ...]:
    """Return the requests, oldest first, each with the Checkout Sessions that were created for it."""
    begun = {one: entry.id for entry in mine.of_kind("subscription") for one in entry.facts.get("session", ())}
    sessions: dict[str, list[SessionState]] = defaultdict(list)
    for entry in mine.of_kind("session"):
        if entry.request_id:
            sessions[entry.request_id].append(replace(_session(entry, mine), subscription=begun.get(entry.id)))
    ordered = sorted(requests, key=lambda one: (one.created_at, one.id))
    return tuple(replace(request, sessions=tuple(sessions[request.id])) for request in ordered)


def _is_refuted(entry: Entry, known: Entries) -> bool:
    """True if this payment outside Stripe was inferred from an invoice, and other payments
    turned out to explain all of it."""
    return "received" in entry.facts and not received_sum(entry, known)[0]


def received_sum(entry: Entry, known: Entries) -> tuple[int, str]:
    """Return (amount, currency) of a payment. If only the invoice gives the amount, the other
    payments of it are subtracted, also those of other deals (``known``)."""
    rank, amount, currency = entry.facts.get("received", (0, 0, ""))
    for invoice in known.parents(entry, "invoice") if rank == WHOLE_INVOICE_RANK else ():
        is_outside = entry.id == outside_id(invoice.id)
        others = {
            one.id: one.facts
            for one in known.payers_of(invoice)
            if one.id != entry.id and (is_outside or one.facts.get("received", (0,))[0] != WHOLE_INVOICE_RANK)
        }
        if is_outside:
            amount = came_outside(invoice.id, invoice.facts, amount, others)
        else:
            amount -= explained(invoice.id, invoice.facts, others)
    return max(0, amount), currency


def _session(entry: Entry, mine: Entries) -> SessionState:
    """Return the session's state from its own events or its payment: a cancelled or refused
    payment is no longer under way."""
    state = session_of(entry)
    if not state.under_way:
        return state
    tries = (one.facts for one in mine.paying(entry.id))
    failed = [at for facts in tries if (at := _failed_at(facts)) is not None]
    return replace(state, async_failed=max(failed, default=None))


def _failed_at(payment: Known) -> float | None:
    """Return when the payment's latest try finally failed; None if it was received or may still succeed."""
    if "received" in payment:
        return None
    if "canceled" in payment:
        return float(payment["canceled"])
    at = payment.get("decline", (0.0,))[0]
    return at if "processing" in payment and at >= payment["processing"] else None


def session_of(entry: Entry) -> SessionState:
    """Return the state of a Checkout Session from its own facts alone, without those of its payment."""
    facts = entry.facts
    return SessionState(
        id=entry.id,
        status=facts.get("status", "open"),
        payment_status=facts.get("payment_status", "unpaid"),
        asked=_pair(facts.get("came_to", facts.get("asked"))),
        split=_four(facts.get("split")),
        async_failed=facts.get("async_failed"),
        completed_at=facts.get("completed_at"),
    )


def _payment(entry: Entry, received: tuple[int, str], mine: Entries, livemode: bool) -> Payment:
    """Return the payment of an entry that ``received`` (amount, currency). It counts as received (``paid_at``) only if
    both its amount and its time are known."""
    facts = entry.facts
    amount, currency = received
    whole = _whole(facts, amount, currency)
    hanging = [refund_of(one.id, one.facts, whole) for one in mine.hanging_on(entry, "refund")]
    refunds = _in_time(told_by_total(true_refunds(hanging, whole), facts.get("totals", ())))
    sessions = [session_of(one) for one in mine.parents(entry, "session")]
    parents = mine.parents(entry, "session", "invoice")
    subscriptions = sorted(name for one in parents for name in one.facts.get("subscription", ()))
    return Payment(
        id=entry.id,
        amount=amount,
        currency=currency,
        paid_at=facts.get("paid_at") if amount else None,
        processing=_is_under_way(facts, sessions),
        canceled=bool(facts.get("canceled")),
        outside=bool(facts.get("outside")),
        request_id=entry.request_id,
        subscription=next(iter(subscriptions), None),
        invoice=next(iter(facts.get("invoice", ())), None),
        livemode=livemode,
        split=next((one.split for one in sessions if one.split), None),
        presentment=_pair(facts.get("presentment")),
        decline=Decline(*facts["decline"]) if "decline" in facts else None,
        refunded_total=facts.get("refunded_total", (0,))[0],
        refunds=refunds,
        disputes=_in_time(dispute_of(one.id, one.facts, whole) for one in mine.hanging_on(entry, "dispute")),
        attached=bool(facts.get("attached")),
        crowd=bool(facts.get("crowd")),
        renewal=any(renews(one, mine) for one in parents),
        untold=untold(facts.get("totals", ()), refunds),
        by_total=bool(facts.get("by_total")),
        method=Method(*facts["paid_with"]) if "paid_with" in facts else None,
    )


def _whole(facts: Known, amount: int, currency: str) -> Whole:
    return Whole(
        amount=amount,
        currency=currency,
        paid_at=facts.get("paid_at", 0.0),
        presentment=_pair(facts.get("presentment")),
        released=_pair(facts.get("released")),
    )


def _is_under_way(facts: Known, sessions: Iterable[SessionState]) -> bool:
    """True from the last start of a delayed payment method until the try is known to have failed."""
    if "processing" not in facts or any(session.async_failed is not None for session in sessions):
        return False
    return "decline" not in facts or bool(facts["decline"][0] < facts["processing"])


def _in_time(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (part.at, part.id)))


def _pair(value: list[int | str] | None) -> tuple[int, str] | None:
    return (int(value[0]), str(value[1])) if value else None


def _four(value: list[int] | None) -> tuple[int, int, int, int] | None:
    return (value[0], value[1], value[2], value[3]) if value else None
