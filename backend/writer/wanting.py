"""What a deal's card should show, by the account's choices."""

from backend.accounts.options import options_of
from backend.card.render import Wanted, render
from backend.card.texts import texts
from backend.ledger.deal import DealLedger
from backend.models import Account


def wanted_of(account: Account, ledger: DealLedger, link_base: str) -> Wanted:
    options = options_of(account)
    return render(
        ledger,
        texts(options.note_language),
        link_base=link_base,
        test=is_test(ledger),
        stage_hours=options.stage_hours,
    )


def is_test(ledger: DealLedger) -> bool:
    """A ledger holds money of one mode only; a deal with requests alone is as its links are."""
    return not ledger.livemode
