"""What may be asked for as the rest of a deal."""

from backend.core.errors import AlreadyPaid, AmountTooLarge
from backend.core.money import Money
from backend.ledger.deal import DealLedger


def check_rest(ledger: DealLedger, spec: Money) -> None:
    """``AlreadyPaid`` when nothing is open, ``AmountTooLarge`` beyond it; what a bank is bringing is not open.

    Only where the whole is known: a deposit that named no total, or money in another currency, says nothing of it.
    """
    begun = ledger.gross or ledger.under_way
    if not begun or spec.currency != ledger.currency or not _whole_is_known(ledger):
        return
    if not ledger.outstanding:
        raise AlreadyPaid("Nothing of this deal is open any more.")
    rest = Money(max(0, ledger.outstanding - ledger.under_way), ledger.currency)
    if not rest.amount:
        raise AlreadyPaid("What is open of this deal is on its way: the bank is still working on it.")
    if spec.amount > rest.amount:
        raise AmountTooLarge(f"Only {rest} of this deal is open.", limit=rest.as_text)


def _whole_is_known(ledger: DealLedger) -> bool:
    live = [request for request in ledger.live_requests if request.currency == ledger.currency]
    deposits = [request for request in live if request.kind == "deposit"]
    return not deposits or any(request.deal_total for request in deposits) or any(r.kind != "deposit" for r in live)
