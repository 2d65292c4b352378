"""A hook with a rule's key: stored before the answer. The deal's data is read from Kommo later."""

import hashlib

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.automation.rules.keys import rule_of
from backend.automation.rules.store import IS_OPEN
from backend.core.errors import HookUnknown, LaneFull
from backend.kommo_api.automation.stage_hooks import StageHook
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import PaymentRule, StageEntry
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work

MOST_OPEN = 5_000
"""Waiting entries of one account."""
UNTIMED_SECONDS = 60.0
"""Hooks without a time are the same hook if they arrive within one such span."""


async def receive(resources: Resources, hook: StageHook, account_id: int | None = None) -> int:
    """Store the entry that the hook announces, once, and return the account's id.

    Raises ``HookUnknown`` for a key without a rule, or of another account than the hook or its address names;
    ``LaneFull`` if too many entries wait.
    """
    rule = await _rule(resources, hook)
    if rule is None or hook.account_id not in (None, rule.account_id) or account_id not in (None, rule.account_id):
        raise HookUnknown("No rule has this key. Open the action in Kommo's pipeline and save it again.")
    if not hook.left:
        await _store(resources, rule, hook)
        resources.work_arrived.set()
    return rule.account_id


async def _rule(resources: Resources, hook: StageHook) -> PaymentRule | None:
    async with resources.database.look() as session:
        return await rule_of(session, hook.key)


async def _store(resources: Resources, rule: PaymentRule, hook: StageHook) -> None:
    now = resources.clock()
    async with account_unit(resources.database, rule.account_id) as session:
        if await _waiting(session, rule.account_id) >= MOST_OPEN:
            raise LaneFull("Too many deals of this account wait for their payment request.")
        first = (col(PaymentRule.account_id) == rule.account_id, col(PaymentRule.id) == rule.id)
        await session.exec(update(PaymentRule).where(*first, col(PaymentRule.used_at).is_(None)).values(used_at=now))
        if await insert_missing(session, StageEntry, [_entry(rule, hook, now).model_dump()]):
            await request_work(session, rule.account_id)


async def _waiting(session: AsyncSession, account_id: int) -> int:
    open_ones = (StageEntry.account_id == account_id, IS_OPEN)
    return (await session.exec(select(func.count()).select_from(StageEntry).where(*open_ones))).one()


def _entry(rule: PaymentRule, hook: StageHook, now: float) -> StageEntry:
    pipeline, status = hook.stage or (None, None)
    return StageEntry(
        account_id=rule.account_id,
        id=_identity(rule, hook, now),
        lead_id=hook.lead_id,
        rule_id=rule.id,
        root_id=rule.root_id,
        pipeline_id=pipeline,
        status_id=status,
        inside=hook.inside,
        told_at=hook.at,
        received_at=now,
    )


def _identity(rule: PaymentRule, hook: StageHook, now: float) -> str:
    """Return the same digest for a repeated hook."""
    moment = f"at {hook.at:.0f}" if hook.at is not None else f"within {now // UNTIMED_SECONDS:.0f}"
    said = f"{rule.account_id}:{rule.root_id}:{hook.lead_id}:{hook.stage}:{moment}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
