"""What a deal's statement offers to pay: never more than what is open, in the currency in which it is open."""

from dataclasses import dataclass

from backend.core.money import Money
from backend.ledger.deal import DealLedger, Request
from backend.ledger.sums import CurrencySum

RENEWABLE = ("pending", "failed", "expired")
"""States of a request that nobody has paid or taken back."""


@dataclass(frozen=True)
class Offer:
    """``link``: the open request that asks for ``money``. None: a request is to be made for it, in the place of
    ``replaces`` where there is one; the deal is then to bring ``total`` in that currency.
    """

    money: Money
    link: Request | None = None
    replaces: Request | None = None
    total: int | None = None


def offer_of(ledger: DealLedger) -> Offer | None:
    """Not while what is open is on its way: a link for the rest would ask for the same money again."""
    if ledger.state in ("processing", "disputed"):
        return None
    return next(filter(None, (_offer_in(ledger, one) for one in ledger.open_sums)), None)


def _offer_in(ledger: DealLedger, known: CurrencySum) -> Offer | None:
    """The newest link that asks for no more than what is open; where all ask for more, a smaller one instead. Nothing
    where the time of all of them is over: the merchant is asked then."""
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
    if mine and older is None:  # of a subscription no single payment takes the place
        return None
    return _rest(known, older)


def _rest(known: CurrencySum, older: Request | None) -> Offer:
    """The deal is to bring what it was to bring before."""
    amount = min(known.payable, older.amount) if older else known.payable
    return Offer(Money(amount, known.currency), replaces=older, total=known.expected)
