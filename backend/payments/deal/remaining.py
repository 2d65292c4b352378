"""Check that a request for the rest of a deal asks for no more than the outstanding amount."""

from backend.core.errors import AlreadyPaid, AmountTooLarge
from backend.core.money import Money
from backend.ledger.deal import DealLedger


def check_rest(ledger: DealLedger, spec: Money) -> None:
    """Raise ``AlreadyPaid`` if nothing is payable, ``AmountTooLarge`` if ``spec`` is more;
    money under way is not payable.

    The check applies only if the deal's total is known: a deposit without a total does not give it, nor
    does money in other currencies.
    """
    known = next((one for one in ledger.sums if one.currency == spec.currency), None)
    begun = known is not None and (known.gross or known.under_way)
    if known is None or not begun or not _whole_is_known(ledger, spec.currency):
        return
    if not known.outstanding:
        raise AlreadyPaid("This deal is already paid in full.")
    rest = Money(known.payable, known.currency)
    if not rest.amount:
        raise AlreadyPaid("A bank payment for the remaining amount is already under way.")
    if spec.amount > rest.amount:
        raise AmountTooLarge(f"Only {rest} of this deal is still to be paid.", limit=rest.as_text)


def _whole_is_known(ledger: DealLedger, currency: str) -> bool:
    live = [request for request in ledger.live_requests if request.currency == currency]
    if not live:
        return not ledger.live_requests
    deposits = [request for request in live if request.kind == "deposit"]
    return not deposits or any(request.deal_total for request in deposits) or any(r.kind != "deposit" for r in live)
