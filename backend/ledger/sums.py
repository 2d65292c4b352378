"""Sums of a deal, each in one currency, and the choice of the currency that its fields show."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.ledger.parts import Payment, Request


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that counts: what it is worth, whether it is settled, and whether a bank is bringing its money."""

    request: Request
    amount: int
    currency: str
    settled: bool
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """What a deal asked for and received in one currency; ``beyond`` is money that nothing explains."""

    currency: str
    expected: int
    gross: int
    refunded: int
    under_way: int
    beyond: int

    @property
    def net(self) -> int:
        return self.gross - self.refunded

    @property
    def outstanding(self) -> int:
        """A refund reopens no debt."""
        return max(0, self.expected - self.gross)

    @property
    def payable(self) -> int:
        """What is open and not on its way."""
        return max(0, self.outstanding - self.under_way)


def sum_in(currency: str, asks: Iterable[Ask], received: Iterable[Payment], strays: Iterable[Payment]) -> CurrencySum:
    """``received`` and ``strays`` in any currency; those in ``currency`` count."""
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
    """What ``asks`` of one currency are to bring; a deposit's total holds where all of them don't come to it."""
    totals = [ask.request.deal_total for ask in asks if ask.request.kind != "full" and ask.request.deal_total]
    return max([sum(ask.amount for ask in asks), *totals])


def currencies_of(asks: Iterable[Ask], received: Iterable[Payment]) -> list[str]:
    """Every currency that was asked for or received, in the order of their first appearance."""
    seen = [(ask.request.created_at, ask.currency) for ask in asks]
    seen += [(payment.paid_at or 0.0, payment.currency) for payment in received]
    return list(dict.fromkeys(currency for _, currency in sorted(seen)))


def main_currency(asks: Sequence[Ask], received: Sequence[Payment], strays: Sequence[Payment], account: str) -> str:
    """The account's if money was received in it, or if it is asked for and nothing was received at all.

    Else the one in which most requests are settled, ties by the oldest; a payment that no request asked for counts as
    a settled request, all periods of a contract as one.
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
