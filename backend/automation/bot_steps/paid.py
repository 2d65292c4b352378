"""The step *Is it paid?*: the state of the deal's payment, at once or when the payment has come."""

from typing import Any

import structlog

from backend.accounts.options import options_of
from backend.automation.bot_steps.answers import PAID, Answer, payment_state
from backend.automation.bot_steps.store import revision_of
from backend.core.errors import NotConnected, StripeUnreachable
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.payments.checkout.open import ask_again
from backend.payments.find import find_request
from backend.resources import Resources
from backend.storage.models import Account, BotStep
from backend.stripe_api.client import Refused, Unreachable

WAIT_FIELD = "wait_hours"
"""The setting in the step's form: '' answers at once."""
LONGEST_WAIT_HOURS = 72

log = structlog.get_logger()


def wait_hours(given: Any) -> int:
    """Return the hours of the step's setting, at most ``LONGEST_WAIT_HOURS``; 0 if it is empty or no whole number."""
    said = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    is_number = said.isascii() and said.isdigit() and len(said) < 10
    return min(int(said), LONGEST_WAIT_HOURS) if is_number else 0


def may_wait(account: Account) -> bool:
    """Return whether the account's administrators let bots wait for a payment."""
    return options_of(account).bot_waits


async def paid_answer(resources: Resources, account: Account, row: BotStep) -> Answer | None:
    """Return the answer to the bot; None if it waits on, and ``row`` then holds until when.

    Stripe is asked at the first and at the last look. Raises ``StripeUnreachable`` if it is to be tried again.
    """
    waits = row.wait_until is not None and resources.clock() < row.wait_until and may_wait(account)
    ledger = await _ledger(resources, account, row)
    if ledger.open_request is not None and not (waits and row.state == "waiting"):
        ledger = await _after_a_look(resources, account, row, ledger.open_request.id, waits=waits)
    answer = payment_state(ledger, resources.addresses.public_url)
    if answer["exit"] == PAID or not waits:
        return answer
    row.state, row.next_try_at, row.attempts = "waiting", row.wait_until or 0.0, 0
    return None


async def _after_a_look(
    resources: Resources, account: Account, row: BotStep, request_id: str, *, waits: bool
) -> DealLedger:
    """The ledger after a look at Stripe: the client may have paid a moment ago."""
    try:
        await ask_again(resources, await find_request(resources, account.id, request_id))
    except (Refused, NotConnected) as error:
        log.info("session look-up refused", account=account.id, deal=row.lead_id, reason=str(error))
    except (Unreachable, StripeUnreachable) as error:
        if not waits:
            raise
        log.warning("bot payment check failed", account=account.id, deal=row.lead_id, reason=str(error))
    return await _ledger(resources, account, row)


async def _ledger(resources: Resources, account: Account, row: BotStep) -> DealLedger:
    """The deal's ledger. The revision is read before it, so a fact between them causes one look more, never none."""
    async with resources.database.read() as session:
        row.seen = await revision_of(session, account.id, row.lead_id)
        return (await load_deals(session, account, [row.lead_id], resources.clock()))[row.lead_id]
