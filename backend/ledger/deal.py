"""What the facts mean for a deal: its sums and states. Pure values, no I/O.

The rules are the table of docs/design.md 7. Sums are in one currency, the deal's; money in any other is kept
apart in ``elsewhere`` and never added in.
"""

from dataclasses import dataclass
from functools import cached_property

from backend.ledger.parts import Dispute, Payment, Refund, Renewal, Request, SessionState

__all__ = ["DEAL_STATES", "DealLedger", "Dispute", "Payment", "Refund", "Renewal", "Request", "SessionState"]

NO_NEW_TRY_SECONDS = 24 * 3600
"""A delayed payment that failed makes the request failed when no try followed within a day."""

DEAL_STATES = (
    "pending", "processing", "paid", "partially_paid", "failed", "refunded", "partially_refunded", "disputed",
)  # fmt: skip


@dataclass(frozen=True)
class DealLedger:
    """All that is known about the money of one deal, at one moment.

    ``emptied``: its card once showed money that belongs to another deal now.
    """

    account_currency: str
    livemode: bool
    requests: tuple[Request, ...]
    payments: tuple[Payment, ...]
    ended_subscriptions: tuple[tuple[str, float], ...]
    now: float
    failed_renewals: tuple[Renewal, ...] = ()
    emptied: bool = False

    # money

    @cached_property
    def currency(self) -> str:
        """The account's if anything that counts is in it; else that of the first request, else of the first payment."""
        asked = [request.currency for request in self.live_requests]
        seen = asked + [payment.currency for payment in self.received_anywhere]
        seen = seen or [request.currency for request in self.requests]
        return self.account_currency if self.account_currency in seen or not seen else seen[0]

    @cached_property
    def received_anywhere(self) -> tuple[Payment, ...]:
        """In every currency, oldest first."""
        received = (payment for payment in self.payments if payment.received)
        return tuple(sorted(received, key=lambda payment: (payment.paid_at, payment.id)))

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
    def expected(self) -> int:
        """What the deal is to bring; without any request, what was received."""
        asked = [request for request in self.live_requests if self.worth(request)[1] == self.currency]
        if not asked:
            return self.gross
        parts = sum(self.worth(request)[0] for request in asked if request.kind in ("deposit", "rest"))
        totals = [request.deal_total for request in asked if request.kind == "deposit" and request.deal_total]
        return sum(self.worth(request)[0] for request in asked if request.kind == "full") + max([parts, *totals])

    @property
    def outstanding(self) -> int:
        """A refund reopens no debt."""
        return max(0, self.expected - self.gross)

    @property
    def overpaid(self) -> int:
        """Money beyond expected that did not go back."""
        return max(0, self.net - self.expected) if self.live_requests else 0

    @cached_property
    def strays(self) -> tuple[Payment, ...]:
        """Single payments that no request of this deal asked for, oldest first."""
        asked = {request.id for request in self.requests}
        return tuple(one for one in self.received if one.request_id not in asked and one.subscription is None)

    @property
    def beyond(self) -> int:
        """Money beyond expected that neither a link paid twice nor periods of a contract explain."""
        kept = sum(one.amount - min(one.amount, one.refunded + one.lost) for one in self.strays)
        return min(self.overpaid, kept)

    @cached_property
    def latest(self) -> Payment | None:
        return self.received_anywhere[-1] if self.received_anywhere else None

    # requests

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

    def received_for(self, request: Request) -> tuple[Payment, ...]:
        """Oldest first."""
        return tuple(payment for payment in self.received_anywhere if payment.request_id == request.id)

    def is_settled(self, request: Request) -> bool:
        """Settled when its own session is, whatever the amount: a 100 % coupon settles without a payment."""
        return any(session.settled for session in request.sessions) or bool(self.received_for(request))

    def is_free(self, request: Request) -> bool:
        """Settled though there was nothing to pay. A trial is no such thing: its periods are still to come."""
        settled = [session for session in request.sessions if session.settled]
        nothing = bool(settled) and all(session.asked and session.asked[0] == 0 for session in settled)
        return request.mode == "payment" and nothing and not self.received_for(request)

    def worth(self, request: Request) -> tuple[int, str]:
        """(amount, currency): what was asked, and once it is settled what it turned out to be.

        A subscription is worth its settled periods; before the first, that first one.
        """
        paid = self.received_for(request)
        if paid and request.mode == "subscription":
            return sum(p.amount for p in paid if p.currency == paid[0].currency), paid[0].currency
        if paid:
            return paid[0].amount, paid[0].currency
        settled = (session.asked for session in request.sessions if session.settled and session.asked)
        told = next(settled, None) if request.mode == "payment" else None
        return told or (request.amount, request.currency)

    def settled_amount(self, request: Request) -> int:
        return self.worth(request)[0]

    def request_state(self, request: Request) -> str:
        if self.is_settled(request):
            return "paid"
        if self._is_under_way(request):
            return "processing"
        if request.cancelled:
            return "cancelled"
        if request.replaced_by:
            return "replaced"
        if request.expires_at is not None and request.expires_at <= self.now:
            return "expired"
        return "failed" if self._has_failed(request) else "pending"

    def _is_under_way(self, request: Request) -> bool:
        payments = (payment.state for payment in self.payments_of(request))
        return any(session.under_way for session in request.sessions) or "processing" in payments

    def _has_failed(self, request: Request) -> bool:
        failures = [session.async_failed for session in request.sessions if session.async_failed is not None]
        return bool(failures) and self.now - max(failures) >= NO_NEW_TRY_SECONDS

    @cached_property
    def paid_twice(self) -> tuple[Request, ...]:
        """Single-payment requests that more than one payment settled."""
        single = (request for request in self.requests if request.mode == "payment")
        return tuple(request for request in single if len(self.received_for(request)) > 1)

    @cached_property
    def open_request(self) -> Request | None:
        """The newest request that can still be paid."""
        open_ones = [r for r in self.requests if self.request_state(r) in ("pending", "failed")]
        return max(open_ones, key=lambda request: (request.created_at, request.id), default=None)

    def renews(self, request: Request) -> bool:
        """A subscription that may still bring money."""
        ended = {subscription for subscription, _ in self.ended_subscriptions}
        is_over = any(payment.subscription in ended for payment in self.payments_of(request))
        return request.rhythm is not None and request in self.live_requests and not is_over

    # states

    @cached_property
    def state(self) -> str:
        """The first of the design's eight that holds."""
        if any(payment.disputed in ("open", "lost") for payment in self.received_anywhere):
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
        return bool(self.live_requests) and not self.expected and all(map(self.is_settled, self.live_requests))

    @cached_property
    def is_under_way(self) -> bool:
        """Money is on its way by a delayed method, whatever came before it."""
        states = {self.request_state(request) for request in self.requests}
        return "processing" in states or any(payment.state == "processing" for payment in self.payments)

    @cached_property
    def under_way(self) -> int:
        """How much that is, of what was asked for."""
        coming = (self.worth(one) for one in self.requests if self.request_state(one) == "processing")
        return sum(amount for amount, currency in coming if currency == self.currency)

    def _unpaid_state(self) -> str:
        if self.is_under_way:
            return "processing"
        states = {self.request_state(request) for request in self.requests}
        return "failed" if states and not {"pending", "paid"} & states else "pending"

    @cached_property
    def next_change_at(self) -> float | None:
        """When time alone will change a state: a request expires, or a failed try has waited a day."""
        moments = [r.expires_at for r in self.requests if r.expires_at]
        moments += [s.async_failed + NO_NEW_TRY_SECONDS for r in self.requests for s in r.sessions if s.async_failed]
        return min((moment for moment in moments if moment > self.now), default=None)
