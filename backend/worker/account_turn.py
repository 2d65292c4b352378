"""A worker's turn at one account: inbox → ledger, then missing set-up, ledger → card, release."""

import random
from collections.abc import Mapping

import structlog
from sqlalchemy import update
from sqlmodel import col

from backend.accounts.options import options_of
from backend.accounts.provisioning import set_up
from backend.admin.payment_list.refresh import bring_up_to_date, deals_behind
from backend.automation.bot_steps.paid import may_wait
from backend.automation.bot_steps.store import next_due as next_bot_due
from backend.automation.bot_steps.work import answer_bots
from backend.automation.reminders.queue import next_look
from backend.automation.reminders.turn import chase
from backend.automation.reminders.withdraw import withdraw
from backend.automation.rules.store import next_due as next_entry_due
from backend.automation.rules.work import work_on_entries
from backend.automation.sendings.carry_out import send_due
from backend.automation.sendings.store import next_due as next_sending_due
from backend.core.clock import lies_ahead
from backend.core.errors import NotConnected
from backend.core.sentences.said import said, together
from backend.core.vault import CannotOpen
from backend.deal_sync.revisions import next_due as next_deal_due
from backend.deal_sync.shadow import record_dry_run
from backend.deal_sync.sync import sync_deals
from backend.deal_sync.verify import next_due as next_audit_due
from backend.deal_sync.verify import verify_writes
from backend.inbox.process import ingest, ingest_more
from backend.inbox.store import next_due as next_event_due
from backend.kommo_api.errors import KommoBlocked, KommoError, KommoForbidden, KommoRateLimited, KommoUnpaid
from backend.payments.ending import end_due_requests, next_end
from backend.rate_limit.store import PROBE_SECONDS
from backend.resources import Resources
from backend.storage.models import Account
from backend.stripe_api.client import Unreachable
from backend.work_queue.leases import LONGEST_HOLD_SECONDS, LONGEST_WAKE_SECONDS, Claim, release

WAITS = str(said("writing_waits", reason=""))
NEEDS_A_PERSON: Mapping[type[Exception], str] = {
    KommoForbidden: said("give_right_to_edit"),
    KommoUnpaid: said("resumes_once_paid"),
}
"""Errors that only a person can resolve, and how."""

log = structlog.get_logger()


async def take_in_news(resources: Resources, claim: Claim) -> None:
    """Process the account's stored events, the first half of a turn. It does not call Kommo."""
    await ingest(resources, claim)


async def write_deals(resources: Resources, claim: Claim) -> None:
    """Write the account's deals and run its other due work, the second half of a turn; then release the account.

    It lasts as long as Kommo takes. If the process is stopping, started writes are finished; the rest is due at once
    for the next owner. Raises ``LeaseLost``.
    """
    await end_due_requests(resources, claim)
    is_held = lies_ahead(claim.hold_until, resources.clock(), LONGEST_HOLD_SECONDS)
    held = claim.hold_until if is_held else None
    if held is None:
        held = await _write(resources, claim)
    await bring_up_to_date(resources, claim.account_id)
    moment = await _next_moment(resources, claim.account_id, held)
    await release(resources.database, claim, wake_at=moment, hold_until=held)


async def _write(resources: Resources, claim: Claim) -> float | None:
    """Set up and write; returns None, or after a refusal until when the writer must wait (Unix seconds)."""
    account: Account | None = None
    try:
        account = await _ready(resources, claim.account_id)
        if account and options_of(account).shadow:
            await record_dry_run(resources, claim)
        elif account:
            await _write_and_send(resources, claim)
            await chase(resources, claim)
            await verify_writes(resources, claim)
            await answer_bots(resources, claim)
            await work_on_entries(resources, claim)
            await _tell(resources, account, "")
    except (KommoError, NotConnected, Unreachable, CannotOpen) as error:
        wait = wait_seconds(error)
        if account and type(error) in NEEDS_A_PERSON:
            await _tell(
                resources, account, said("writing_waits", reason=together(str(error), NEEDS_A_PERSON[type(error)]))
            )
        log.warning("deal sync deferred", account=claim.account_id, seconds=round(wait, 1), reason=str(error))
        return resources.clock() + wait
    return None


async def _write_and_send(resources: Resources, claim: Claim) -> None:
    """Write deals and send links, a few at a time and each after its deal's fields: no payment waits behind a long
    queue."""
    await sync_deals(resources, claim, lambda: ingest_more(resources, claim))
    while await send_due(resources, claim, withdraw):
        await sync_deals(resources, claim, lambda: ingest_more(resources, claim))


async def _tell(resources: Resources, account: Account, problem: str) -> None:
    """Store the problem with the account for its administrators, unless set-up has stored one."""
    if account.problem == problem or (account.problem and not account.problem.startswith(WAITS)):
        return
    async with resources.database.write() as session:
        same = (col(Account.id) == account.id, col(Account.problem) == account.problem)
        await session.exec(update(Account).where(*same).values(problem=problem))


async def _ready(resources: Resources, account_id: int) -> Account | None:
    """The account, set up now if needed; None if it is not connected, and its deals then stay dirty."""
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
    if account is None or account.state != "connected":
        return None
    if not account.set_up_at:
        await set_up(resources, account_id)
    return account


async def _next_moment(resources: Resources, account_id: int, held: float | None) -> float | None:
    async with resources.database.read() as session:
        account = await session.get(Account, account_id)
        event_due = await next_event_due(session, account_id)
        end_due = await next_end(session, account_id)
        list_due = 0.0 if await deals_behind(session, account_id) else None
        connected = account if account is not None and account.state == "connected" else None
        writes = connected is not None and not options_of(connected).shadow
        waits = connected is not None and may_wait(connected)
        deal_due = await next_deal_due(session, account_id) if writes else None
        bot_due = await next_bot_due(session, account_id, may_wait=waits) if writes else None
        entry_due = await next_entry_due(session, account_id) if writes else None
        audit_due = await next_audit_due(session, account_id) if writes else None
        set_up_due = 0.0 if connected and not connected.set_up_at else None
        sending_due = await next_sending_due(session, account_id) if writes else None
        look_due = await next_look(session, account_id) if writes else None
        redraw_due = 0.0 if connected and connected.redraw_from is not None else None
    due = (deal_due, bot_due, entry_due, audit_due, sending_due, look_due, set_up_due, redraw_due)
    moments = [moment for moment in due if moment is not None]
    if held is not None and connected:
        moments = [max(held, min(moments, default=0.0))]
    others = (event_due, end_due, list_due)
    soonest = min((moment for moment in (*others, *moments) if moment is not None), default=None)
    return None if soonest is None else min(soonest, resources.clock() + LONGEST_WAKE_SECONDS)


def wait_seconds(error: Exception) -> float:
    """Seconds until the next try after ``error``: few after a hiccup, many behind a block, with random jitter."""
    if isinstance(error, KommoBlocked):
        return (PROBE_SECONDS if error.retry_after is None else error.retry_after) + random.uniform(0, 2)  # noqa: S311
    if isinstance(error, KommoUnpaid):
        return 60.0  # Kommo wrongly answers 402 for minutes on paid accounts (docs/facts/kommo-api.md 6)
    if isinstance(error, KommoForbidden):
        return 30.0  # until a person gives our user the right
    if isinstance(error, KommoRateLimited):
        return min(error.retry_after or 2.0, 300.0) + random.uniform(0, 1)  # noqa: S311 (jitter)
    return random.uniform(2.0, 8.0)  # noqa: S311 (jitter)
