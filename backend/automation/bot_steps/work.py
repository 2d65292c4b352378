"""The worker's step for waiting bots: each is answered and continues, once, however often the answer is sent."""

import structlog

from backend.accounts.tokens.call import with_kommo
from backend.automation.bot_steps.answers import FAILED, Answer, payment_state
from backend.automation.bot_steps.link import link_answer
from backend.automation.bot_steps.store import due, keep
from backend.core.errors import NotConnected, StripeUnreachable
from backend.kommo_api.automation.bot_token import goes_on
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused
from backend.ledger.deal import DealLedger
from backend.ledger.load import load_deals
from backend.payments.checkout.open import ask_again
from backend.payments.find import find_request
from backend.resources import Resources
from backend.storage.models import Account, BotStep
from backend.stripe_api.client import Refused, Unreachable
from backend.work_queue.backoff import wait_after
from backend.work_queue.leases import Claim

MOST = 10
"""Bots that one turn answers."""
NEXT = 1
"""The step of the saved bot that evaluates our answer."""
PATIENCE_SECONDS = 24 * 3600.0
"""How long a bot waits is unknown; after a day the answer is outdated."""
TRIES_AT_STRIPE = 3
"""Then the bot leaves by the exit *failed*: a client is waiting."""

log = structlog.get_logger()


async def answer_bots(resources: Resources, claim: Claim) -> None:
    """Answer one batch of the account's bots. Raises Kommo's errors that concern the whole account."""
    async with resources.database.read() as session:
        rows = await due(session, claim.account_id, resources.clock(), MOST)
        account = await session.get(Account, claim.account_id)
    for row in rows:
        if account is not None and not await _is_late(resources, claim, row):
            await _answer(resources, claim, account, row)


async def _is_late(resources: Resources, claim: Claim, row: BotStep) -> bool:
    if resources.clock() - row.received_at <= PATIENCE_SECONDS:
        return False
    row.state, row.outcome = "done", "late"
    await keep(resources, claim, row)
    return True


async def _answer(resources: Resources, claim: Claim, account: Account, row: BotStep) -> None:
    """Commit the answer before it is sent, so that a repeated one is the same."""
    if row.state == "new":
        try:
            row.answer = await _found_out(resources, claim, account, row)
        except (Unreachable, StripeUnreachable) as error:
            row.attempts, row.next_try_at = row.attempts + 1, resources.clock() + wait_after(row.attempts)
            log.warning("bot step deferred", account=account.id, deal=row.lead_id, reason=str(error))
            if row.attempts < TRIES_AT_STRIPE:
                await keep(resources, claim, row)
                return
            row.answer = {"exit": FAILED, "status": "stripe_away", "link": "", "amount": "", "currency": ""}
        row.state = "decided"
        await keep(resources, claim, row)
    await _tell(resources, claim, row)


async def _found_out(resources: Resources, claim: Claim, account: Account, row: BotStep) -> Answer:
    if row.step == "payment_link":
        return await link_answer(resources, claim, account, row)
    ledger = await _ledger(resources, account, row.lead_id)
    if ledger.open_request is not None:  # a last look at Stripe: the client may have paid a moment ago
        try:
            await ask_again(resources, await find_request(resources, account.id, ledger.open_request.id))
        except (Refused, NotConnected) as error:
            log.info("session look-up refused", account=account.id, deal=row.lead_id, reason=str(error))
        ledger = await _ledger(resources, account, row.lead_id)
    return payment_state(ledger, resources.addresses.public_url)


async def _ledger(resources: Resources, account: Account, lead_id: int) -> DealLedger:
    async with resources.database.read() as session:
        return (await load_deals(session, account, [lead_id], resources.clock()))[lead_id]


async def _tell(resources: Resources, claim: Claim, row: BotStep) -> None:
    body = goes_on({name: str(value) for name, value in row.answer.items()}, NEXT)
    try:
        await with_kommo(resources, claim.account_id, lambda api: api.continue_bot(row.path, body))
    except (KommoNotFound, KommoRefused, KommoForbidden) as error:  # it went on already, or waits no more
        log.info("bot continue refused", account=claim.account_id, deal=row.lead_id, reason=str(error))
        row.outcome = "gone"
    else:
        row.outcome = "told"
    row.state = "done"
    await keep(resources, claim, row)
