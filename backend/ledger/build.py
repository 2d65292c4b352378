"""From facts to the values of a deal's ledger. Pure: what is told of each object, and whose it is, is all it reads."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeVar

from backend.facts import WHOLE_INVOICE_RANK, Known, merge, outside_id
from backend.ledger.deal import DealLedger, Dispute, Payment, Refund, Renewal, Request, SessionState
from backend.ledger.gone_back import Whole, dispute_of, refund_of, true_refunds, untold
from backend.ledger.invoice_sums import explained
from backend.ledger.parts import Decline, Method

Part = TypeVar("Part", Refund, Dispute)
FIRST, LATER = "subscription_create", "subscription_cycle"
"""Why Stripe made an invoice: for the first period of a subscription, for one of the next ones."""


class Entry(Protocol):
    """One Stripe object with its facts and its owner; a row of the ledger is one."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def facts(self) -> Known: ...
    @property
    def request_id(self) -> str | None: ...


@dataclass(frozen=True)
class Twins:
    """One Stripe object that two connections tell of, as one entry."""

    id: str
    kind: str
    facts: Known
    request_id: str | None


@dataclass(frozen=True)
class Entries:
    """The entries of one deal, found by id and by what they hang on."""

    all: tuple[Entry, ...]

    @cached_property
    def _by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.all}

    @cached_property
    def _by_payment(self) -> dict[str, list[Entry]]:
        hanging: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.all:
            for payment in entry.facts.get("payment", ()):
                hanging[payment].append(entry)
        return hanging

    @cached_property
    def _by_kind(self) -> dict[str, list[Entry]]:
        kinds: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.all:
            kinds[entry.kind].append(entry)
        return kinds

    @cached_property
    def _payers(self) -> dict[str, dict[str, Entry]]:
        """Payments by the invoices, the sessions and the requests that they belong to. Stripe's ids and ours differ."""
        payers: dict[str, dict[str, Entry]] = defaultdict(dict)
        for one in self.of_kind("payment"):
            for parent in (*one.facts.get("invoice", ()), *one.facts.get("session", ()), one.request_id):
                if parent:
                    payers[parent][one.id] = one
        return payers

    @cached_property
    def _invoices(self) -> dict[str, dict[str, Entry]]:
        """Invoices by their subscriptions."""
        invoices: dict[str, dict[str, Entry]] = defaultdict(dict)
        for one in self.of_kind("invoice"):
            for contract in one.facts.get("subscription", ()):
                invoices[contract][one.id] = one
        return invoices

    @cached_property
    def _firsts(self) -> dict[frozenset[str], Entry | None]:
        return {}

    def of_kind(self, kind: str) -> list[Entry]:
        return self._by_kind.get(kind, [])

    def paying(self, parent: str) -> Iterable[Entry]:
        """The payments that hang on this invoice or session, or are of this request."""
        return self._payers.get(parent, {}).values()

    def parents(self, entry: Entry, *names: str) -> list[Entry]:
        ids = sorted({parent for name in names for parent in entry.facts.get(name, ())})
        return [self._by_id[one] for one in ids if one in self._by_id]

    def first_after_trial(self, invoice: Entry) -> Entry | None:
        """Of the invoices of its subscription, the first that brought money after a period over nothing."""
        contract = frozenset(invoice.facts.get("subscription", ()))
        if contract not in self._firsts:
            invoices = {id_: one for name in contract for id_, one in self._invoices.get(name, {}).items()}.values()
            paid = [one for one in invoices if one.facts.get("asked", (0,))[0] > 0]
            began_free = any(_began_free(one, self) for one in invoices)
            self._firsts[contract] = min(paid, key=_paid_at, default=None) if began_free else None
        return self._firsts[contract]

    def payers_of(self, invoice: Entry) -> list[Entry]:
        """The payments that hang on it or with it on one session, or are of the request that it was made for."""
        parents = [invoice.id, *invoice.facts.get("session", ())]
        if invoice.request_id and "subscription" not in invoice.facts:
            parents.append(invoice.request_id)
        found = {one.id: one for parent in parents for one in self.paying(parent)}
        return [found[one] for one in sorted(found)]

    def hanging_on(self, payment: Entry, kind: str) -> list[Entry]:
        return [one for one in self._by_payment.get(payment.id, ()) if one.kind == kind]


def deal_ledger(
    entries: Iterable[Entry],
    requests: Iterable[Request],
    *,
    account_currency: str,
    livemode: bool,
    now: float,
    emptied: bool = False,
    merged: tuple[int, ...] = (),
) -> DealLedger:
    """``entries`` and ``requests`` of one deal, the requests still without sessions, in any order."""
    mine = Entries(_each_once(entries))
    begun = {one: entry.id for entry in mine.of_kind("subscription") for one in entry.facts.get("session", ())}
    sessions: dict[str, list[SessionState]] = defaultdict(list)
    for entry in mine.of_kind("session"):
        if entry.request_id:
            sessions[entry.request_id].append(replace(_session(entry, mine), subscription=begun.get(entry.id)))
    payments = [_payment(entry, mine, livemode) for entry in mine.of_kind("payment") if not _is_refuted(entry, mine)]
    ended = [(entry.id, entry.facts["ended"]) for entry in mine.of_kind("subscription") if "ended" in entry.facts]
    return DealLedger(
        account_currency=account_currency,
        livemode=livemode,
        requests=tuple(
            replace(request, sessions=tuple(sessions[request.id]))
            for request in sorted(requests, key=lambda one: (one.created_at, one.id))
        ),
        payments=tuple(payments),
        ended_subscriptions=tuple(ended),
        failed_renewals=tuple(_renewal(one, mine) for one in mine.of_kind("invoice") if _renewal_failed(one)),
        now=now,
        emptied=emptied,
        merged=merged,
    )


def _each_once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """By id: Stripe's ids are of one account only, so where two connections tell of one, they are of the same account.

    What is counted here must not depend on how often an admin connected it.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        found[entry.id] = _both(found[entry.id], entry) if entry.id in found else entry
    return tuple(found[one] for one in sorted(found))


def _both(one: Entry, other: Entry) -> Entry:
    requests = sorted(filter(None, (one.request_id, other.request_id)))
    return Twins(one.id, max(one.kind, other.kind), merge(one.facts, other.facts), next(iter(requests), None))


def _is_refuted(entry: Entry, mine: Entries) -> bool:
    """An invoice was taken as paid outside Stripe, and then payments turned up that explain all of it."""
    return "received" in entry.facts and not _received(entry, mine)[0]


def _received(entry: Entry, mine: Entries) -> tuple[int, str]:
    """(amount, currency). Where only the invoice tells the amount, it is what no other payment explains of it."""
    rank, amount, currency = entry.facts.get("received", (0, 0, ""))
    for invoice in mine.parents(entry, "invoice") if rank == WHOLE_INVOICE_RANK else ():
        is_outside = entry.id == outside_id(invoice.id)
        others = {
            one.id: one.facts
            for one in mine.payers_of(invoice)
            if one.id != entry.id and (is_outside or one.facts.get("received", (0,))[0] != WHOLE_INVOICE_RANK)
        }
        amount -= explained(invoice.id, invoice.facts, others)
    return max(0, amount), currency


def _session(entry: Entry, mine: Entries) -> SessionState:
    """As its own events tell it, or as its payment does: one that was cancelled or refused is on its way no more."""
    state = session_of(entry)
    if not state.under_way:
        return state
    tries = (one.facts for one in mine.paying(entry.id))
    failed = [at for facts in tries if (at := _failed_at(facts)) is not None]
    return replace(state, async_failed=max(failed, default=None))


def _failed_at(payment: Known) -> float | None:
    """When its latest try failed for good; None where it may still bring money, or did."""
    if "received" in payment:
        return None
    if "canceled" in payment:
        return float(payment["canceled"])
    at = payment.get("decline", (0.0,))[0]
    return at if "processing" in payment and at >= payment["processing"] else None


def session_of(entry: Entry) -> SessionState:
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


def _renewal_failed(entry: Entry) -> bool:
    """Of other invoices the payer is at the page, or whoever made them is."""
    return "failed_at" in entry.facts and entry.facts.get("billing_reason") == LATER


def _renews(invoice: Entry, mine: Entries) -> bool:
    """Whether a payment of it is a renewal: a later period; after a trial the first that brings money is none.

    A change in the middle of a period, a threshold and an invoice made by hand are payments of their own.
    """
    return invoice.facts.get("billing_reason") == LATER and invoice is not mine.first_after_trial(invoice)


def _began_free(invoice: Entry, mine: Entries) -> bool:
    """A trial: its first invoice was over nothing."""
    facts = invoice.facts
    nothing = "paid" in facts and facts.get("billing_reason") == FIRST and facts.get("asked", (1,))[0] == 0
    return nothing and not mine.paying(invoice.id)


def _paid_at(invoice: Entry) -> tuple[float, str]:
    return (invoice.facts.get("paid_at", 0.0), invoice.id)


def _renewal(entry: Entry, mine: Entries) -> Renewal:
    amount, currency = entry.facts.get("due", (0, ""))
    amount -= explained(entry.id, entry.facts, {one.id: one.facts for one in mine.payers_of(entry)})
    ended = any("ended" in one.facts for one in mine.parents(entry, "subscription"))
    healed = ended or bool({"paid", "written_off"} & entry.facts.keys())
    return Renewal(entry.id, max(0, amount), currency, entry.facts["failed_at"], healed)


def _payment(entry: Entry, mine: Entries, livemode: bool) -> Payment:
    """A received amount without a time, or a time without an amount, is no payment yet."""
    facts = entry.facts
    amount, currency = _received(entry, mine)
    whole = _whole(facts, amount, currency)
    hanging = [refund_of(one.id, one.facts, whole) for one in mine.hanging_on(entry, "refund")]
    refunds = _in_time(true_refunds(hanging, whole))
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
        renewal=any(_renews(one, mine) for one in parents),
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
    """A delayed method is under way from its last start until the try is known to have failed."""
    if "processing" not in facts or any(session.async_failed is not None for session in sessions):
        return False
    return "decline" not in facts or bool(facts["decline"][0] < facts["processing"])


def _in_time(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (part.at, part.id)))


def _pair(value: list[int | str] | None) -> tuple[int, str] | None:
    return (int(value[0]), str(value[1])) if value else None


def _four(value: list[int] | None) -> tuple[int, int, int, int] | None:
    return (value[0], value[1], value[2], value[3]) if value else None
