"""The worker's step for bots at a step of ours: each is answered and continues, once, however often the answer is
sent."""

import structlog

from backend.accounts.tokens.call import with_kommo
from backend.automation.bot_steps.answers import FAILED, Answer
from backend.automation.bot_steps.link import link_answer
from backend.automation.bot_steps.paid import may_wait, paid_answer
from backend.automation.bot_steps.store import due, keep
from backend.core.errors import StripeUnreachable
from backend.kommo_api.automation.bot_token import goes_on
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused
from backend.resources import Resources
from backend.storage.models import Account, BotStep
from backend.stripe_api.client import Unreachable
from backend.work_queue.backoff import wait_after
from backend.work_queue.leases import Claim

MOST = 10
"""Bots that one turn answers."""
NEXT = 1
"""The step of the saved bot that evaluates our answer."""
PATIENCE_SECONDS = 24 * 3600.0
"""How long a bot waits is unknown; a day after its answer was due, the answer is outdated."""
TRIES_AT_STRIPE = 3
"""Then the bot leaves by the exit *failed*: a client is waiting."""

log = structlog.get_logger()


async def answer_bots(resources: Resources, claim: Claim) -> None:
    """Answer one batch of the account's bots. Raises Kommo's errors that concern the whole account."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, claim.account_id)
        now = resources.clock()
        rows = await due(session, claim.account_id, now, MOST, may_wait=may_wait(account))
    for row in rows:
        if not await _is_late(resources, claim, row):
            await _answer(resources, claim, account, row)


async def _is_late(resources: Resources, claim: Claim, row: BotStep) -> bool:
    if resources.clock() - (row.wait_until or row.received_at) <= PATIENCE_SECONDS:
        return False
    row.state, row.outcome = "done", "late"
    await keep(resources, claim, row)
    return True


async def _answer(resources: Resources, claim: Claim, account: Account, row: BotStep) -> None:
    """Commit the answer before it is sent, so that a repeated one is the same."""
    was_sent = row.state == "decided"
    if not was_sent and not await _is_decided(resources, claim, account, row):
        return
    await _tell(resources, claim, row, was_sent=was_sent)


async def _is_decided(resources: Resources, claim: Claim, account: Account, row: BotStep) -> bool:
    """Fix the answer; False if the bot waits on, for its payment or for Stripe."""
    answer: Answer | None
    try:
        answer = await _found_out(resources, claim, account, row)
    except (Unreachable, StripeUnreachable) as error:
        row.attempts, row.next_try_at = row.attempts + 1, resources.clock() + wait_after(row.attempts)
        log.warning("bot step deferred", account=account.id, deal=row.lead_id, reason=str(error))
        away = {"exit": FAILED, "status": "stripe_away", "link": "", "amount": "", "currency": ""}
        answer = None if row.attempts < TRIES_AT_STRIPE else away
    if answer is not None:
        row.answer, row.state, row.next_try_at = answer, "decided", 0.0
    await keep(resources, claim, row)
    return answer is not None


async def _found_out(resources: Resources, claim: Claim, account: Account, row: BotStep) -> Answer | None:
    if row.step == "payment_link":
        return await link_answer(resources, claim, account, row)
    return await paid_answer(resources, account, row)


async def _tell(resources: Resources, claim: Claim, row: BotStep, *, was_sent: bool) -> None:
    """Send the answer. Kommo resumes a bot once, so after a lost response it is sent again; a refusal then does not
    say whether the first one arrived."""
    body = goes_on({name: str(value) for name, value in row.answer.items()}, NEXT)
    try:
        await with_kommo(resources, claim.account_id, lambda api: api.continue_bot(row.path, body))
    except (KommoNotFound, KommoRefused, KommoForbidden) as error:  # it went on already, or waits no more
        log.info("bot continue refused", account=claim.account_id, deal=row.lead_id, reason=str(error))
        row.outcome = "refused" if isinstance(error, KommoForbidden) else "unsure" if was_sent else "gone"
    else:
        row.outcome = "told"
    row.state = "done"
    await keep(resources, claim, row)
