"""The payment requests of a deal and the state of each. Pure values, no I/O."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from backend.ledger.parts import Payment, Request

NO_NEW_TRY_SECONDS = 24 * 3600
"""A failed delayed payment makes its request failed once no new try has followed within a day."""


@dataclass(frozen=True, kw_only=True)
class DealRequests:
    """The requests and payments of one deal at ``now`` (epoch seconds), and the state of each request.

    ``ended_subscriptions``: pairs of subscription id and end (epoch seconds).
    """

    requests: tuple[Request, ...]
    payments: tuple[Payment, ...]
    ended_subscriptions: tuple[tuple[str, float], ...]
    now: float

    @cached_property
    def received_anywhere(self) -> tuple[Payment, ...]:
        """The received payments in every currency, oldest first."""
        received = (payment for payment in self.payments if payment.received)
        return tuple(sorted(received, key=lambda payment: (payment.paid_at, payment.id)))

    @cached_property
    def live_requests(self) -> tuple[Request, ...]:
        """The requests that were neither cancelled nor replaced, or were paid all the same."""
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
        """Return the request of this deal that asked for the payment, or None."""
        return self._requests_by_id.get(payment.request_id)

    def payments_of(self, request: Request) -> tuple[Payment, ...]:
        """Return the payments of the request, received or not, in the order of their ids."""
        return self._payments_by_request.get(request.id, ())

    def received_for(self, request: Request) -> tuple[Payment, ...]:
        """Return the received payments of the request, oldest first."""
        return self._received_by_request.get(request.id, ())

    def is_settled(self, request: Request) -> bool:
        """True if a session of the request is settled or a payment arrived, whatever the amount.

        A 100 % coupon settles a session without a payment.
        """
        return any(session.settled for session in request.sessions) or bool(self.received_for(request))

    def is_free(self, request: Request) -> bool:
        """True if a one-time request was settled with nothing to pay. A trial is not free:
        its periods are still to come."""
        settled = [session for session in request.sessions if session.settled]
        nothing = bool(settled) and all(session.asked and session.asked[0] == 0 for session in settled)
        return request.mode == "payment" and nothing and not self.received_for(request)

    def worth(self, request: Request) -> tuple[int, str]:
        """Return (minor units, currency) of the request: the asked amount, or once it is
        settled the amount that was paid.

        A subscription is worth its settled periods, or before the first one that first period.
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
        """Return the request's state: paid, processing, cancelled, replaced, expired, failed or pending."""
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
        last = self._last_try(request)
        return last is not None and self.now - last >= NO_NEW_TRY_SECONDS

    def _last_try(self, request: Request) -> float | None:
        """Return when the last try failed, in epoch seconds; None if no delayed payment of the request failed."""
        failures = [session.async_failed for session in request.sessions if session.async_failed is not None]
        declines = [payment.decline.at for payment in self.payments_of(request) if payment.decline]
        return max([*failures, *declines]) if failures else None

    @cached_property
    def paid_twice(self) -> tuple[Request, ...]:
        """The requests that more than one payment settled, or that started more than one subscription."""
        return tuple(request for request in self.requests if len(self._settlements(request)) > 1)

    def _settlements(self, request: Request) -> Sequence[object]:
        return self.contracts_of(request) if request.mode == "subscription" else self.received_for(request)

    def contracts_of(self, request: Request) -> tuple[str, ...]:
        """Return the ids of the subscriptions that the request started, sorted; each one
        charges the client separately."""
        paid = {payment.subscription for payment in self.received_for(request)}
        begun = {session.subscription for session in request.sessions if session.settled}
        return tuple(sorted(contract for contract in paid | begun if contract))

    @cached_property
    def open_request(self) -> Request | None:
        """The newest request that can still be paid, or None."""
        open_ones = [r for r in self.requests if self.request_state(r) in ("pending", "failed")]
        return max(open_ones, key=lambda request: (request.created_at, request.id), default=None)

    @cached_property
    def _ended(self) -> frozenset[str]:
        return frozenset(subscription for subscription, _ in self.ended_subscriptions)

    def renews(self, request: Request) -> bool:
        """True if the request is for a subscription that is live and may still bring money."""
        is_over = any(payment.subscription in self._ended for payment in self.payments_of(request))
        return request.rhythm is not None and request.id in self._live_ids and not is_over

    @cached_property
    def is_under_way(self) -> bool:
        """True if a delayed payment is under way, whatever happened before it."""
        states = {self.request_state(request) for request in self.requests}
        return "processing" in states or any(payment.state == "processing" for payment in self.payments)

    def _ended_by_failure(self, request: Request) -> bool:
        """True if a payment of the request failed, and the request was neither cancelled nor replaced."""
        taken_back = request.cancelled or request.replaced_by
        return not taken_back and any(session.async_failed is not None for session in request.sessions)

    @cached_property
    def next_change_at(self) -> float | None:
        """When a state will change by time alone, in epoch seconds: a failed try turns a day old, or a due date passes.

        None if neither is ahead. The expiry of a request does not count: Stripe's event
        about its last session reports it.
        """
        tries = (self._last_try(request) for request in self.requests)
        moments = [last + NO_NEW_TRY_SECONDS for last in tries if last is not None]
        moments += [request.overdue_at for request in self.requests if request.overdue_at]
        return min((moment for moment in moments if moment > self.now), default=None)


def _by_request(payments: Iterable[Payment]) -> dict[str | None, tuple[Payment, ...]]:
    found: dict[str | None, list[Payment]] = defaultdict(list)
    for payment in payments:
        found[payment.request_id].append(payment)
    return {request_id: tuple(some) for request_id, some in found.items()}
