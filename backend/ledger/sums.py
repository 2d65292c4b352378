"""Sums of a deal, each in one currency, and the choice of the currency that the deal's fields show."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.ledger.parts import Payment, Request


@dataclass(frozen=True, slots=True)
class Ask:
    """A payment request that counts: its worth in minor units, whether it is settled,
    whether its payment is under way."""

    request: Request
    amount: int
    currency: str
    settled: bool
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """The sums of a deal in one currency, in minor units. ``beyond``: received money that no request explains."""

    currency: str
    expected: int
    gross: int
    refunded: int
    under_way: int
    beyond: int

    @property
    def net(self) -> int:
        """The received amount minus the refunded one."""
        return self.gross - self.refunded

    @property
    def outstanding(self) -> int:
        """The expected amount that was not received; a refund does not raise it."""
        return max(0, self.expected - self.gross)

    @property
    def payable(self) -> int:
        """The outstanding amount without what is under way."""
        return max(0, self.outstanding - self.under_way)


def sum_in(currency: str, asks: Iterable[Ask], received: Iterable[Payment], strays: Iterable[Payment]) -> CurrencySum:
    """Return the sums in one currency; ``received`` and ``strays`` may hold payments in any currency."""
    mine = [ask for ask in asks if ask.currency == currency]
    payments = [payment for payment in received if payment.currency == currency]
    gross, refunded = sum(payment.amount for payment in payments), sum(payment.gone for payment in payments)
    expected = expected_of(mine) if mine else gross
    kept = sum(payment.amount - payment.gone for payment in strays if payment.currency == currency)
    return CurrencySum(
        currency=currency,
        expected=expected,
        gross=gross,
        refunded=refunded,
        under_way=sum(ask.amount for ask in mine if ask.under_way),
        beyond=min(max(0, gross - refunded - expected), kept),
    )


def expected_of(asks: Sequence[Ask]) -> int:
    """Return the amount in minor units that requests of one currency are to bring.

    The total of a deposit counts if the requests together are below it.
    """
    totals = [ask.request.deal_total for ask in asks if ask.request.kind != "full" and ask.request.deal_total]
    return max([sum(ask.amount for ask in asks), *totals])


def currencies_of(asks: Iterable[Ask], received: Iterable[Payment]) -> list[str]:
    """Return every currency that was asked for or received, ordered by first appearance."""
    seen = [(ask.request.created_at, ask.currency) for ask in asks]
    seen += [(payment.paid_at or 0.0, payment.currency) for payment in received]
    return list(dict.fromkeys(currency for _, currency in sorted(seen)))


def main_currency(asks: Sequence[Ask], received: Sequence[Payment], strays: Sequence[Payment], account: str) -> str:
    """Return the currency of the deal's fields, upper-case ISO code.

    That is ``account`` if money was received in it, or if it is asked for and nothing was received at all. Otherwise it
    is the currency of the most settled requests, the older one in a tie. A payment without a request counts as a
    settled request, and all periods of a subscription count as one.
    """
    paid = {payment.currency for payment in received}
    if account in paid or (not paid and any(ask.currency == account for ask in asks)):
        return account
    settled = [(ask.request.created_at, ask.currency) for ask in asks if ask.settled]
    contracts = {payment.subscription or payment.id: payment for payment in reversed(strays)}
    settled += [(payment.paid_at or 0.0, payment.currency) for payment in contracts.values()]
    votes = Counter(currency for _, currency in settled)
    candidates = sorted(settled or [(ask.request.created_at, ask.currency) for ask in asks])
    return max((currency for _, currency in candidates), key=lambda one: votes[one], default=account)
