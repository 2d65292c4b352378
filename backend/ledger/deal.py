"""The sums and states of a deal, derived from its facts. Pure values, no I/O.

The rules are the table of docs/design.md 7. Each sum is in one currency and is never added to one in another; the
deal's own currency, which its fields show, comes first.
"""

from dataclasses import dataclass
from functools import cached_property

from backend.core.money import Money
from backend.ledger.parts import Dispute, Method, Payment, Refund, Renewal, Request, SessionState
from backend.ledger.requests import DealRequests
from backend.ledger.sums import Ask, CurrencySum, currencies_of, main_currency, sum_in

__all__ = ["DEAL_STATES", "DealLedger", "Dispute", "Method", "Payment", "Refund", "Renewal", "Request", "SessionState"]

DEAL_STATES = (
    "pending", "processing", "paid", "partially_paid", "failed", "refunded", "partially_refunded", "disputed",
    "cancelled",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DealLedger(DealRequests):
    """All that is known about the money of one deal, at one moment.

    ``emptied``: the deal's card once showed money that belongs to another deal now. ``merged``: Kommo ids of the deals
    that were merged into this one; the ledger includes their payments and requests.
    """

    account_currency: str
    livemode: bool
    failed_renewals: tuple[Renewal, ...] = ()
    emptied: bool = False
    merged: tuple[int, ...] = ()

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        """The live requests with their worth; if there is none, the cancelled and replaced ones."""
        return tuple(self._ask(request) for request in self.live_requests or self.requests)

    def _ask(self, request: Request) -> Ask:
        amount, currency = self.worth(request)
        state = self.request_state(request)
        return Ask(request, amount, currency, settled=state == "paid", under_way=state == "processing")

    @cached_property
    def currency(self) -> str:
        """The upper-case ISO code of the currency that the deal's fields show, see ``main_currency``."""
        return main_currency(self.asks, self.received_anywhere, self._unasked, self.account_currency)

    @cached_property
    def sums(self) -> tuple[CurrencySum, ...]:
        """One sum for each currency that was asked for or received: the deal's own first, then by first appearance."""
        asks = self.asks if self.live_requests else ()
        known = (self.currency, *currencies_of(asks, self.received_anywhere))
        return tuple(sum_in(one, asks, self.received_anywhere, self._loose) for one in dict.fromkeys(known))

    @property
    def main(self) -> CurrencySum:
        """The sum in the deal's own currency."""
        return self.sums[0]

    @cached_property
    def open_sums(self) -> tuple[CurrencySum, ...]:
        """The sums with an outstanding amount, the deal's own currency first."""
        return tuple(one for one in self.sums if one.outstanding)

    @cached_property
    def elsewhere(self) -> tuple[Payment, ...]:
        """The received payments in other currencies than the deal's, oldest first."""
        return tuple(payment for payment in self.received_anywhere if payment.currency != self.currency)

    @property
    def gross(self) -> int:
        """The received amount in the deal's own currency, before refunds, in minor units."""
        return self.main.gross

    @property
    def refunded(self) -> int:
        """The amount of pending and succeeded refunds and lost disputes, in minor units;
        at most the received amount."""
        return self.main.refunded

    @property
    def net(self) -> int:
        """The received amount minus ``refunded``, in the deal's own currency, in minor units."""
        return self.main.net

    @property
    def expected(self) -> int:
        """The amount that the deal is to bring, in minor units; without any request, the received amount."""
        return self.main.expected

    @property
    def outstanding(self) -> int:
        """The expected amount that was not received, in minor units; a refund does not raise it."""
        return self.main.outstanding

    @cached_property
    def _unasked(self) -> tuple[Payment, ...]:
        """The received payments that no request of this deal asked for, oldest first."""
        asked = {request.id for request in self.requests}
        return tuple(one for one in self.received_anywhere if one.request_id not in asked)

    @property
    def _loose(self) -> tuple[Payment, ...]:
        return tuple(one for one in self._unasked if one.subscription is None)

    @cached_property
    def strays(self) -> tuple[Payment, ...]:
        """Received one-time payments without a request, in a currency in which something was asked, oldest first."""
        asked = {ask.currency for ask in self.asks} if self.live_requests else set()
        return tuple(one for one in self._loose if one.currency in asked)

    @cached_property
    def beyond(self) -> tuple[Money, ...]:
        """Money beyond the expected amount that no link paid twice and no subscription period explains, by currency."""
        return tuple(Money(one.beyond, one.currency) for one in self.sums if one.beyond)

    @cached_property
    def latest(self) -> Payment | None:
        """The last payment that was received, in any currency; None if there is none."""
        return self.received_anywhere[-1] if self.received_anywhere else None

    @cached_property
    def state(self) -> str:
        """The deal's payment state, one of ``DEAL_STATES``: the first row that holds in docs/design.md 7."""
        if any(payment.disputed in ("open", "lost") for payment in self.received_anywhere):
            return "disputed"
        if self.received_anywhere and not any(one.net for one in self.sums):
            return "refunded"
        if any(one.refunded and one.net < one.expected for one in self.sums):
            return "partially_refunded"
        if self._is_paid():
            return "paid"
        return "partially_paid" if self.received_anywhere else self._unpaid_state()

    def _is_paid(self) -> bool:
        """True if nothing is outstanding in any currency, and money was received or a full
        discount left nothing to pay."""
        if self.open_sums:
            return False
        settled = bool(self.live_requests) and all(map(self.is_settled, self.live_requests))
        return settled or bool(self.received_anywhere)

    def _unpaid_state(self) -> str:
        if self.is_under_way:
            return "processing"
        states = {self.request_state(request) for request in self.requests}
        if not states or {"pending", "paid"} & states:
            return "pending"
        return "failed" if any(map(self._ended_by_failure, self.requests)) else "cancelled"
