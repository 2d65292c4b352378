"""What the facts mean: states of payments, requests and the deal, and its sums. Pure values, no I/O.

The rules are the table of the design's section 7. Sums are in one currency, the deal's; money in any other is kept
apart in ``elsewhere`` and never added in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from backend.facts import Known

NO_NEW_TRY_SECONDS = 24 * 3600
"""A delayed payment that failed makes the request failed when no try followed within a day."""

DEAL_STATES = (
    "pending", "processing", "paid", "partially_paid", "failed", "refunded", "partially_refunded", "disputed",
)  # fmt: skip
REFUND_COUNTS = frozenset(("pending", "requires_action", "succeeded"))
DISPUTE_OPEN = frozenset(("needs_response", "under_review", "warning_needs_response", "warning_under_review"))


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    amount: int
    currency: str
    status: str
    at: float

    @property
    def counts(self) -> bool:
        return self.status in REFUND_COUNTS

    @property
    def final(self) -> bool:
        return self.status == "succeeded"


@dataclass(frozen=True, slots=True)
class Dispute:
    id: str
    amount: int
    currency: str
    status: str
    reason: str
    at: float
    due_by: float | None
    appeal: str | None

    @property
    def state(self) -> str | None:
        """``open``, ``won`` or ``lost``; None where it never took money (an inquiry that was closed)."""
        if self.status in DISPUTE_OPEN:
            return "open"
        return self.status if self.status in ("won", "lost") else None


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout Session as far as states need it."""

    id: str
    status: str
    payment_status: str
    asked: tuple[int, str] | None
    split: tuple[int, int, int, int] | None
    async_failed: float | None
    completed_at: float | None

    @property
    def settled(self) -> bool:
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, known by its PaymentIntent (or charge, or invoice marked as paid outside Stripe)."""

    id: str
    amount: int
    currency: str
    paid_at: float | None
    processing: bool
    canceled: bool
    outside: bool
    request_id: str | None
    subscription: str | None
    invoice: str | None
    livemode: bool
    split: tuple[int, int, int, int] | None
    presentment: tuple[int, str] | None
    decline: tuple[float, str] | None
    refunded_total: int
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]

    @property
    def received(self) -> bool:
        return self.paid_at is not None

    @property
    def refunded(self) -> int:
        """By id where the refunds are known; a running total tells of those that are not. Never both added."""
        known = sum(refund.amount for refund in self.refunds)
        return sum(r.amount for r in self.refunds if r.counts) + max(0, self.refunded_total - known)

    @property
    def lost(self) -> int:
        return sum(dispute.amount for dispute in self.disputes if dispute.state == "lost")

    @property
    def disputed(self) -> str | None:
        states = {dispute.state for dispute in self.disputes}
        return next((state for state in ("open", "lost", "won") if state in states), None)

    @property
    def state(self) -> str:
        if not self.received:
            return "canceled" if self.canceled else "processing" if self.processing else "pending"
        if self.disputed in ("open", "lost"):
            return "disputed"
        if not self.refunded:
            return "paid"
        return "refunded" if self.refunded >= self.amount else "partially_refunded"


@dataclass(frozen=True, slots=True)
class Request:
    """A payment request with its sessions, newest last."""

    id: str
    amount: int
    currency: str
    description: str
    mode: str
    kind: str
    deal_total: int | None
    created_at: float
    created_by: int
    expires_at: float | None
    cancelled: bool
    replaced_by: str | None
    opened: bool
    link_token: str
    stage_seen: int | None
    sessions: tuple[Session, ...]


@dataclass(frozen=True)
class DealLedger:
    """All that is known about the money of one deal, at one moment."""

    account_currency: str
    livemode: bool
    requests: tuple[Request, ...]
    payments: tuple[Payment, ...]
    ended_subscriptions: tuple[tuple[str, float], ...]
    now: float

    @cached_property
    def currency(self) -> str:
        seen = [r.currency for r in self.requests] + [p.currency for p in self.received_anywhere]
        return self.account_currency if self.account_currency in seen or not seen else seen[0]

    @cached_property
    def received_anywhere(self) -> tuple[Payment, ...]:
        return tuple(payment for payment in self.payments if payment.received)

    @cached_property
    def received(self) -> tuple[Payment, ...]:
        return tuple(payment for payment in self.received_anywhere if payment.currency == self.currency)

    @cached_property
    def elsewhere(self) -> tuple[Payment, ...]:
        return tuple(payment for payment in self.received_anywhere if payment.currency != self.currency)

    @cached_property
    def gross(self) -> int:
        return sum(payment.amount for payment in self.received)

    @cached_property
    def refunded(self) -> int:
        """Refunds pending and succeeded, and lost disputes; never more than what was received."""
        return sum(min(payment.amount, payment.refunded + payment.lost) for payment in self.received)

    @property
    def net(self) -> int:
        return self.gross - self.refunded

    @cached_property
    def live_requests(self) -> tuple[Request, ...]:
        """Requests that still ask for something or were paid all the same."""
        return tuple(
            request
            for request in self.requests
            if self.is_settled(request) or not (request.cancelled or request.replaced_by)
        )

    def payments_of(self, request: Request) -> tuple[Payment, ...]:
        return tuple(payment for payment in self.payments if payment.request_id == request.id)

    def is_settled(self, request: Request) -> bool:
        """Settled when its own session is, whatever the amount: a 100 % coupon settles without a payment."""
        return any(session.settled for session in request.sessions) or any(
            payment.received for payment in self.payments_of(request)
        )

    def settled_amount(self, request: Request) -> int:
        """What a settled request turned out to be worth: one payment, or a subscription's settled periods."""
        paid = [payment.amount for payment in self.payments_of(request) if payment.received]
        if request.mode == "subscription":
            return max(sum(paid), 0 if any(s.settled for s in request.sessions) else request.amount)
        if paid:
            return paid[0]
        asked = [session.asked[0] for session in request.sessions if session.settled and session.asked]
        return asked[0] if asked else request.amount

    def request_state(self, request: Request) -> str:
        if self.is_settled(request):
            return "paid"
        if request.cancelled:
            return "cancelled"
        if request.replaced_by:
            return "replaced"
        if self._is_processing(request):
            return "processing"
        if request.expires_at is not None and request.expires_at <= self.now:
            return "expired"
        return "failed" if self._has_failed(request) else "pending"

    def _is_processing(self, request: Request) -> bool:
        under_way = any(
            session.status == "complete" and session.payment_status == "unpaid" and session.async_failed is None
            for session in request.sessions
        )
        failed = any(session.async_failed is not None for session in request.sessions)
        return under_way or (
            not failed and any(p.processing and not p.canceled and not p.received for p in self.payments_of(request))
        )

    def _has_failed(self, request: Request) -> bool:
        failures = [session.async_failed for session in request.sessions if session.async_failed is not None]
        return bool(failures) and self.now - max(failures) >= NO_NEW_TRY_SECONDS

    @cached_property
    def expected(self) -> int:
        """What the deal is to bring; without any request, what was received."""
        asked = [request for request in self.live_requests if request.currency == self.currency]
        if not asked:
            return self.gross
        parts = sum(self._worth(request) for request in asked if request.kind in ("deposit", "rest"))
        totals = [request.deal_total for request in asked if request.kind == "deposit" and request.deal_total]
        return sum(self._worth(r) for r in asked if r.kind == "full") + max([parts, *totals])

    def _worth(self, request: Request) -> int:
        return self.settled_amount(request) if self.is_settled(request) else request.amount

    @property
    def outstanding(self) -> int:
        """A refund reopens no debt."""
        return max(0, self.expected - self.gross)

    @property
    def overpaid(self) -> int:
        return max(0, self.gross - self.expected) if self.requests else 0

    @cached_property
    def paid_twice(self) -> tuple[Request, ...]:
        """Single-payment requests that more than one payment settled."""
        return tuple(
            request
            for request in self.requests
            if request.mode == "payment" and sum(p.received for p in self.payments_of(request)) > 1
        )

    @cached_property
    def state(self) -> str:
        """The first of the design's eight that holds."""
        if any(payment.disputed in ("open", "lost") for payment in self.received):
            return "disputed"
        if self.gross > 0 and self.net == 0:
            return "refunded"
        if self.refunded and self.net < self.expected:
            return "partially_refunded"
        if self._is_paid():
            return "paid"
        if self.gross > 0:
            return "partially_paid"
        return self._unpaid_state()

    def _is_paid(self) -> bool:
        if self.gross > 0 and self.net >= self.expected:
            return True
        live = self.live_requests
        return bool(live) and not self.expected and all(self.is_settled(request) for request in live)

    def _unpaid_state(self) -> str:
        states = [self.request_state(request) for request in self.requests]
        if "processing" in states or any(p.processing and not p.canceled for p in self._stray_payments()):
            return "processing"
        return "failed" if states and not {"pending", "paid"} & set(states) else "pending"

    def _stray_payments(self) -> Iterable[Payment]:
        return (payment for payment in self.payments if payment.request_id is None and not payment.received)

    @cached_property
    def latest(self) -> Payment | None:
        return max(self.received_anywhere, key=lambda p: (p.paid_at or 0.0, p.id), default=None)

    @cached_property
    def open_request(self) -> Request | None:
        """The newest request that can still be paid."""
        open_ones = [r for r in self.requests if self.request_state(r) in ("pending", "failed")]
        return max(open_ones, key=lambda request: (request.created_at, request.id), default=None)

    @cached_property
    def next_change_at(self) -> float | None:
        """When time alone will change a state: a request expires, or a failed try has waited a day."""
        moments = [r.expires_at for r in self.requests if r.expires_at]
        moments += [s.async_failed + NO_NEW_TRY_SECONDS for r in self.requests for s in r.sessions if s.async_failed]
        return min((moment for moment in moments if moment > self.now), default=None)


def session_of(sid: str, facts: Known) -> Session:
    return Session(
        id=sid,
        status=facts.get("status", "open"),
        payment_status=facts.get("payment_status", "unpaid"),
        asked=_pair(facts.get("asked")),
        split=_four(facts.get("split")),
        async_failed=facts.get("async_failed"),
        completed_at=facts.get("completed_at"),
    )


def refund_of(rid: str, facts: Known) -> Refund:
    amount, currency = facts.get("asked", (0, ""))
    return Refund(rid, amount, currency, facts.get("refund_status", "pending"), facts.get("at", 0.0))


def dispute_of(did: str, facts: Known) -> Dispute:
    amount, currency = facts.get("asked", (0, ""))
    return Dispute(
        id=did,
        amount=amount,
        currency=currency,
        status=facts.get("dispute_status", "needs_response"),
        reason=facts.get("reason", ""),
        at=facts.get("at", 0.0),
        due_by=facts.get("due_by"),
        appeal=facts.get("appeal"),
    )


def _pair(value: list[int | str] | None) -> tuple[int, str] | None:
    return (int(value[0]), str(value[1])) if value else None


def _four(value: list[int] | None) -> tuple[int, int, int, int] | None:
    return (value[0], value[1], value[2], value[3]) if value else None


def payment_of(
    pid: str,
    facts: Known,
    *,
    request_id: str | None,
    subscription: str | None,
    livemode: bool,
    split: tuple[int, int, int, int] | None,
    refunds: Iterable[Refund],
    disputes: Iterable[Dispute],
) -> Payment:
    """A received amount without a time, or a time without an amount, is no payment yet."""
    _, amount, currency = facts.get("received", (0, 0, ""))
    total, _ = facts.get("refunded_total", (0, ""))
    return Payment(
        id=pid,
        amount=amount,
        currency=currency,
        paid_at=facts.get("paid_at") if amount else None,
        processing=bool(facts.get("processing")),
        canceled=bool(facts.get("canceled")),
        outside=bool(facts.get("outside")),
        request_id=request_id,
        subscription=subscription,
        invoice=next(iter(facts.get("invoice", [])), None),
        livemode=livemode,
        split=split,
        presentment=_pair(facts.get("presentment")),
        decline=(facts["decline"][0], facts["decline"][1]) if "decline" in facts else None,
        refunded_total=total,
        refunds=tuple(sorted(refunds, key=lambda refund: (refund.at, refund.id))),
        disputes=tuple(sorted(disputes, key=lambda dispute: (dispute.at, dispute.id))),
    )
