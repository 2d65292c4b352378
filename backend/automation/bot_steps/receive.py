"""A bot's call at one of our steps: verified by its token, stored, and answered later by the account's worker."""

import hashlib
from typing import Any, Literal

import structlog
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.integrations import client_secret, named_integration
from backend.accounts.permissions import LARGEST_ID
from backend.accounts.tokens.proofs import note_signature
from backend.automation.bot_steps.paid import WAIT_FIELD, may_wait, wait_hours
from backend.automation.bot_steps.store import IS_OPEN
from backend.automation.rules.keys import rule_of
from backend.core.errors import BadSignature, LaneFull
from backend.core.vault import CannotOpen
from backend.kommo_api.automation.bot_token import (
    BadBotToken,
    BotClaims,
    BotRequest,
    continue_path,
    named_client,
    read_bot_token,
)
from backend.kommo_api.automation.stage_hooks import KEY_FIELD
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import Account, BotStep, PaymentRule
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

Step = Literal["payment_link", "is_it_paid"]
MOST_OPEN = 5_000
"""Bots of one account whose answer is due."""
MOST_WAITING = 5_000
"""Bots of one account that wait for a payment; a further one gets its answer at once."""

log = structlog.get_logger()


async def receive_step(resources: Resources, step: Step, asked: BotRequest) -> int:
    """Store the step, once for each address at which a bot continues, and return the account's id.

    Raises ``BadSignature`` if the token is not Kommo's for a connected account of ours, or if the bot is to continue at
    an address that is not that account's; ``LaneFull`` if too many bots wait.
    """
    claims = await _proven(resources, asked.token)
    async with resources.database.look() as session:
        known = 0 < claims.account_id <= LARGEST_ID
        account = await session.get(Account, claims.account_id) if known else None
        rule = await _rule(session, asked, claims.account_id)
    if account is None or account.client_id != claims.client_id or account.state == "uninstalled":
        raise BadSignature("This Kommo account is not connected here.")
    path = continue_path(asked.return_url, account.base_url)
    if path is None:
        raise BadSignature("The bot's return address does not belong to this account.")
    hours = wait_hours(asked.data.get(WAIT_FIELD)) if step == "is_it_paid" and may_wait(account) else 0
    await _store(resources, _row(account.id, claims, step, rule, path, resources.clock(), hours))
    resources.work_arrived.set()
    return account.id


async def _proven(resources: Resources, token: str) -> BotClaims:
    try:
        client_id = named_client(token)
        async with resources.database.look() as session:
            integration = await named_integration(session, client_id)
        if integration is None:
            raise BadSignature("The step's token belongs to an integration that is not connected here.")
        secret = client_secret(resources, integration)
        claims = read_bot_token(token, secret=secret, client_id=client_id, now=resources.clock())
    except (BadBotToken, CannotOpen) as error:
        raise BadSignature(str(error)) from None
    await note_signature(resources, integration)
    return claims


async def _rule(session: AsyncSession, asked: BotRequest, account_id: int) -> PaymentRule | None:
    """Return the rule of the key in the step's form; None if it belongs to another account."""
    key = asked.data.get(KEY_FIELD)
    return await rule_of(session, key, account_id) if isinstance(key, str) and key else None


def _row(
    account_id: int, claims: BotClaims, step: Step, rule: PaymentRule | None, path: str, now: float, hours: int
) -> BotStep:
    return BotStep(
        account_id=account_id,
        id=hashlib.sha256(path.encode()).hexdigest()[:32],
        lead_id=claims.lead_id,
        step=step,
        rule_id=rule.id if rule else "",
        path=path,
        received_at=now,
        wait_until=now + hours * 3600.0 if hours else None,
    )


def unfinished_bots(account_id: int) -> Any:
    """Return a query for the number of the account's unfinished steps, and of those among them that wait for a payment
    until a set time."""
    counts = (func.count(), func.count(col(BotStep.wait_until)))
    return select(*counts).select_from(BotStep).where(BotStep.account_id == account_id, IS_OPEN)


async def _store(resources: Resources, row: BotStep) -> None:
    async with account_unit(resources.database, row.account_id) as session:
        unfinished, waiting = (await session.exec(unfinished_bots(row.account_id))).one()
        if unfinished - waiting >= MOST_OPEN:
            raise LaneFull("Too many bots of this account wait for an answer.")
        if row.wait_until is not None and waiting >= MOST_WAITING:
            log.warning("bot wait skipped", account=row.account_id, deal=row.lead_id, waiting=waiting)
            row.wait_until = None
        if await insert_missing(session, BotStep, [row.model_dump()]):
            await request_work(session, row.account_id)
