"""What was asked for a deal and what became of each request. Pure values, no I/O."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from backend.ledger.parts import Payment, Request

NO_NEW_TRY_SECONDS = 24 * 3600
"""A delayed payment that failed makes the request failed when no try followed within a day."""


@dataclass(frozen=True, kw_only=True)
class DealRequests:
    """The requests and payments of one deal at one moment, and the state of each request."""

    requests: tuple[Request, ...]
    payments: tuple[Payment, ...]
    ended_subscriptions: tuple[tuple[str, float], ...]
    now: float

    @cached_property
    def received_anywhere(self) -> tuple[Payment, ...]:
        """In every currency, oldest first."""
        received = (payment for payment in self.payments if payment.received)
        return tuple(sorted(received, key=lambda payment: (payment.paid_at, payment.id)))

    @cached_property
    def live_requests(self) -> tuple[Request, ...]:
        """Requests that still ask for something or were paid all the same."""
        return tuple(
            request
            for request in self.requests
            if self.is_settled(request) or not (request.cancelled or request.replaced_by)
        )

    @cached_property
    def _payments_by_request(self) -> dict[str | None, tuple[Payment, ...]]:
        return _by_request(self.payments)

    @cached_property
    def _received_by_request(self) -> dict[str | None, tuple[Payment, ...]]:
        return _by_request(self.received_anywhere)

    @cached_property
    def _requests_by_id(self) -> dict[str | None, Request]:
        return {request.id: request for request in self.requests}

    @cached_property
    def _live_ids(self) -> frozenset[str]:
        return frozenset(request.id for request in self.live_requests)

    def request_for(self, payment: Payment) -> Request | None:
        """The request of this deal that asked for it."""
        return self._requests_by_id.get(payment.request_id)

    def payments_of(self, request: Request) -> tuple[Payment, ...]:
        return self._payments_by_request.get(request.id, ())

    def received_for(self, request: Request) -> tuple[Payment, ...]:
        """Oldest first."""
        return self._received_by_request.get(request.id, ())

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

    def request_state(self, request: Request) -> str:
        if self.is_settled(request):
            return "paid"
        if self._is_under_way(request):
            return "processing"
        if request.cancelled:
            return "cancelled"
        if request.replaced_by:
            return "replaced"
        if request.ended:
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
        """Requests that more than one payment settled, or for a subscription: that began more than one."""
        return tuple(request for request in self.requests if len(self._settlements(request)) > 1)

    def _settlements(self, request: Request) -> Sequence[object]:
        return self.contracts_of(request) if request.mode == "subscription" else self.received_for(request)

    def contracts_of(self, request: Request) -> tuple[str, ...]:
        """The subscriptions that its link began; each charges the client by itself."""
        paid = {payment.subscription for payment in self.received_for(request)}
        begun = {session.subscription for session in request.sessions if session.settled}
        return tuple(sorted(contract for contract in paid | begun if contract))

    @cached_property
    def open_request(self) -> Request | None:
        """The newest request that can still be paid."""
        open_ones = [r for r in self.requests if self.request_state(r) in ("pending", "failed")]
        return max(open_ones, key=lambda request: (request.created_at, request.id), default=None)

    @cached_property
    def _ended(self) -> frozenset[str]:
        return frozenset(subscription for subscription, _ in self.ended_subscriptions)

    def renews(self, request: Request) -> bool:
        """A subscription that may still bring money."""
        is_over = any(payment.subscription in self._ended for payment in self.payments_of(request))
        return request.rhythm is not None and request.id in self._live_ids and not is_over

    @cached_property
    def is_under_way(self) -> bool:
        """Money is on its way by a delayed method, whatever came before it."""
        states = {self.request_state(request) for request in self.requests}
        return "processing" in states or any(payment.state == "processing" for payment in self.payments)

    def _ended_by_failure(self, request: Request) -> bool:
        """A payment failed behind it, and nobody took it back."""
        taken_back = request.cancelled or request.replaced_by
        return not taken_back and any(session.async_failed is not None for session in request.sessions)

    @cached_property
    def next_change_at(self) -> float | None:
        """When time alone will change a state: a failed try has waited a day, or a due date is over. The end of a
        request is not: its last session is ended first, and that is news."""
        moments = [s.async_failed + NO_NEW_TRY_SECONDS for r in self.requests for s in r.sessions if s.async_failed]
        moments += [request.overdue_at for request in self.requests if request.overdue_at]
        return min((moment for moment in moments if moment > self.now), default=None)


def _by_request(payments: Iterable[Payment]) -> dict[str | None, tuple[Payment, ...]]:
    found: dict[str | None, list[Payment]] = defaultdict(list)
    for payment in payments:
        found[payment.request_id].append(payment)
    return {request_id: tuple(some) for request_id, some in found.items()}
