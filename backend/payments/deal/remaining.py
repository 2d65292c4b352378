"""What may be asked for as the rest of a deal."""

from backend.core.errors import AlreadyPaid, AmountTooLarge
from backend.core.money import Money
from backend.ledger.deal import DealLedger


def check_rest(ledger: DealLedger, spec: Money) -> None:
    """``AlreadyPaid`` when nothing is open, ``AmountTooLarge`` beyond it; what a bank is bringing is not open.

    Only where the whole is known: a deposit that named no total says nothing of it, nor does money in other currencies.
    """
    known = next((one for one in ledger.sums if one.currency == spec.currency), None)
    begun = known is not None and (known.gross or known.under_way)
    if known is None or not begun or not _whole_is_known(ledger, spec.currency):
        return
    if not known.outstanding:
        raise AlreadyPaid("Nothing of this deal is open any more.")
    rest = Money(known.payable, known.currency)
    if not rest.amount:
        raise AlreadyPaid("What is open of this deal is on its way: the bank is still working on it.")
    if spec.amount > rest.amount:
        raise AmountTooLarge(f"Only {rest} of this deal is open.", limit=rest.as_text)


def _whole_is_known(ledger: DealLedger, currency: str) -> bool:
    live = [request for request in ledger.live_requests if request.currency == currency]
    if not live:
        return not ledger.live_requests
    deposits = [request for request in live if request.kind == "deposit"]
    return not deposits or any(request.deal_total for request in deposits) or any(r.kind != "deposit" for r in live)
