"""The payment that a deal's statement offers: never more than the outstanding amount, in its own currency."""

from dataclasses import dataclass

from backend.core.money import MINIMUM, Money
from backend.ledger.deal import DealLedger, Request
from backend.ledger.sums import CurrencySum

RENEWABLE = ("pending", "failed", "expired")
"""The states of a request that was neither paid nor cancelled nor replaced."""


@dataclass(frozen=True)
class Offer:
    """A payment that a statement offers.

    ``link``: the open request that asks for ``money``. If it is None, a new request is to be made for it; it replaces
    ``replaces`` if that is set, and the deal is to bring ``total`` (minor units) in that currency.
    """

    money: Money
    link: Request | None = None
    replaces: Request | None = None
    total: int | None = None


def offer_of(ledger: DealLedger) -> Offer | None:
    """Return the payment to offer, or None while money is under way: a second link would
    ask for the same money again."""
    if ledger.state in ("processing", "disputed"):
        return None
    return next(filter(None, (_offer_in(ledger, one) for one in ledger.open_sums)), None)


def _offer_in(ledger: DealLedger, known: CurrencySum) -> Offer | None:
    """Return the offer in one currency: the newest link that asks for no more than is payable, else a smaller request.

    None if all links are past their end, or if Stripe charges no amount so small: the client must ask the merchant.
    """
    newest_first = sorted(ledger.live_requests, key=lambda one: (one.created_at, one.id), reverse=True)
    states = {one.id: ledger.request_state(one) for one in newest_first}
    mine = [one for one in newest_first if one.currency == known.currency and states[one.id] in RENEWABLE]
    in_time = [one for one in mine if not one.is_past_end(ledger.now)]
    for request in in_time:
        if request.amount <= known.payable:
            return Offer(Money(request.amount, request.currency), link=request)
    if not known.payable or ledger.is_under_way:
        return None
    older = next((one for one in in_time if one.mode == "payment"), None)
    if mine and older is None:  # a one-time payment can't replace a subscription
        return None
    return _rest(known, older)


def _rest(known: CurrencySum, older: Request | None) -> Offer | None:
    """Return the offer of a new request, None if Stripe charges no amount so small. The deal's expected total stays."""
    amount = min(known.payable, older.amount) if older else known.payable
    if amount < MINIMUM.get(known.currency, 1):
        return None
    return Offer(Money(amount, known.currency), replaces=older, total=known.expected)
