"""Due sendings are carried out a few at a time; between them the account's deals are written."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.automation.sendings.channels.attempt import attempt, held_values
from backend.automation.sendings.channels.step import Refusal, Step, next_channel
from backend.automation.sendings.delivery import look_at_delivery
from backend.automation.sendings.doubt import settle, to_a_person
from backend.automation.sendings.last_look import last_look
from backend.automation.sendings.limits import held_back
from backend.automation.sendings.store import change, due
from backend.kommo_api.errors import KommoTooSlow, KommoUnavailable
from backend.kommo_api.values import LOST, WON, Lead
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.models import Account, PaymentRequest, Sending
from backend.stripe_api.client import Unreachable
from backend.work_queue.backoff import wait_after
from backend.work_queue.leases import Claim

AT_ONCE = 8
"""Sendings between two passes over the account's deals: a fresh payment waits no longer than these take."""
OLDEST_SECONDS = 7 * 24 * 3600.0
"""An automatic sending that failed for a week is left to a user."""
MERGING_SECONDS, LOOK_FOR_DEAL_SECONDS = 3600.0, 60.0
TROUBLE_SECONDS = 24 * 3600.0
"""How long Stripe or Kommo may fail at one sending before a user gets it."""

RECHECK_SECONDS = 60.0
"""A reminder that is older is checked once more when it goes."""
Withdraw = Callable[[Resources, Claim, Sending, Link, Lead], Awaitable[bool]]
"""The second check of a reminder: returns whether it was withdrawn."""

log = structlog.get_logger()


async def send_due(resources: Resources, claim: Claim, withdraw: Withdraw) -> bool:
    """Carry out the next few; False if nothing was due or the process is stopping.

    ``withdraw``: asked for each reminder that waited.
    """
    async with resources.database.read() as session:
        account = await session.get_one(Account, claim.account_id)
        rows = await due(session, claim.account_id, resources.clock(), AT_ONCE)
        places = await _places(session, rows)
    if not rows or options_of(account).shadow:
        return False
    leads = await _leads(resources, claim.account_id, rows, places)
    for row in rows:
        if resources.stopping.is_set():
            return False
        await _one(resources, claim, account, row, leads.get(places.get(row.request_id, row.lead_id)), withdraw)
    return True


async def _places(session: AsyncSession, rows: Sequence[Sending]) -> dict[str, int]:
    """Return the present deal of each request, which a merge may have changed."""
    found = [await session.get(PaymentRequest, (row.account_id, row.request_id)) for row in rows]
    return {request.id: request.lead_id for request in found if request is not None}


async def _leads(
    resources: Resources, account_id: int, rows: Sequence[Sending], places: Mapping[str, int]
) -> dict[int, Lead]:
    ids = sorted({places.get(row.request_id, row.lead_id) for row in rows if row.state == "waiting"})
    if not ids:
        return {}
    return await with_kommo(resources, account_id, lambda api: api.leads(ids, contacts=True))


async def _one(
    resources: Resources, claim: Claim, account: Account, row: Sending, lead: Lead | None, withdraw: Withdraw
) -> None:
    try:
        if row.state == "waiting":
            await _send(resources, claim, account, row, lead, withdraw)
        elif row.state == "done":
            await look_at_delivery(resources, claim, row)
        else:
            await settle(resources, claim, row)
    except (Unreachable, KommoUnavailable, KommoTooSlow) as error:  # of this sending, perhaps: the others go on
        log.warning("sending deferred", account=row.account_id, sending=row.id, reason=str(error))
        await _put_off(resources, claim, row, str(error))


async def _send(
    resources: Resources, claim: Claim, account: Account, row: Sending, lead: Lead | None, withdraw: Withdraw
) -> None:
    if lead is None:
        await _without_deal(resources, claim, row)
        return
    if _is_closed(row, lead):
        await change(resources, claim, row, state="dropped", reason="deal_closed", due_at=None)
        return
    if await _is_held(resources, claim, account, row):
        return
    look = await last_look(resources, account.id, row.request_id)
    if look.barrier or look.link is None:
        await change(resources, claim, row, state="dropped", reason=look.barrier, due_at=None)
        return
    if _has_waited(resources, row) and await withdraw(resources, claim, row, look.link, lead):
        return
    contact_id = look.link.request.contact_id or lead.main_contact_id
    if (row.lead_id, row.contact_id) != (lead.id, contact_id):
        await change(resources, claim, row, lead_id=lead.id, contact_id=contact_id)
    if _is_too_old(resources, row):
        await next_channel(resources, claim, row, Refusal("too_late"))
    else:
        await attempt(Step(resources, claim, account, row, lead, look.link))


async def _is_held(resources: Resources, claim: Claim, account: Account, row: Sending) -> bool:
    """Return whether it is held, before any call: at night a queue of hundreds costs no calls.

    The unit of work that begins the call checks again.
    """
    async with resources.database.read() as session:
        held = await held_back(session, account, row, row.channels[0], resources.clock())
    return held is not None and await change(resources, claim, row, **held_values(held))


async def _without_deal(resources: Resources, claim: Claim, row: Sending) -> None:
    """Handle a missing deal: after a merge its request follows soon; otherwise there is nobody to send to."""
    now = resources.clock()
    if now - row.created_at < MERGING_SECONDS:
        await change(resources, claim, row, due_at=now + LOOK_FOR_DEAL_SECONDS)
    else:
        await change(resources, claim, row, state="dropped", reason="deal_gone", due_at=None)


def _is_closed(row: Sending, lead: Lead) -> bool:
    """Return whether the deal is closed for this sending: only a user may send a link for a closed deal."""
    return row.origin != "person" and lead.status_id in (WON, LOST)


def _has_waited(resources: Resources, row: Sending) -> bool:
    """Return whether it is a reminder whose check is not of this moment any more."""
    is_message = row.origin == "reminder" and row.channels[:1] != ["task"]
    return is_message and resources.clock() - row.created_at > RECHECK_SECONDS


def _is_too_old(resources: Resources, row: Sending) -> bool:
    is_message = row.channels[:1] != ["task"]
    return is_message and row.origin != "person" and resources.clock() - row.created_at > OLDEST_SECONDS


async def _put_off(resources: Resources, claim: Claim, row: Sending, why: str) -> None:
    """Retry with growing waits; after a day a waiting sending goes to a user, a finished one keeps its known state."""
    now = resources.clock()
    if now - max(row.created_at, row.sent_at) < TROUBLE_SECONDS:
        await change(resources, claim, row, due_at=now + wait_after(row.attempts), attempts=row.attempts + 1)
    elif row.state == "done":
        await change(resources, claim, row, due_at=None)
    elif row.state == "waiting":
        await next_channel(resources, claim, row, Refusal("trouble", why))
    else:
        await to_a_person(resources, claim, row)
