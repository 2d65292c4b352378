"""End requests whose time is over. Stripe expires the session first, and its answer decides.
The account's worker runs it."""

from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Float, bindparam, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from backend.core.errors import AlreadyPaid, Conflict, NotConnected, ProductError, StripeRefused, StripeUnreachable
from backend.payments.cancel import end
from backend.payments.checkout.open import OVER, LinkState, ToCheckout
from backend.payments.find import Link, find_link, find_request
from backend.resources import Resources
from backend.storage.models import PaymentRequest
from backend.storage.plain_reads import PlainRead
from backend.work_queue.leases import Claim, fence

AT_MOST = 20
"""The number of requests in one turn: the account's deals wait for it."""
SOON_SECONDS = 300.0
"""The delay until the next try while Stripe is unreachable or the client is paying."""
LATER_SECONDS = 6 * 3600.0
"""The delay until the next try while a bank payment is under way (a bank takes days) or the other mode is selected."""

log = structlog.get_logger()


async def end_due_requests(resources: Resources, claim: Claim) -> None:
    """End the account's requests that are due; those that can't be ended yet get a later time."""
    now = resources.clock()
    if await _ANY_DUE.first(resources.database, account_id=claim.account_id, now=now) is None:
        return
    for request_id in await _due(resources, claim.account_id, now):
        again = await _ended(resources, claim.account_id, request_id)
        await _try_again(resources, claim, request_id, again)


async def next_end(session: AsyncSession, account_id: int) -> float | None:
    """Return when the next request of the account is due to be ended, in epoch seconds; None if there is none."""
    return (await session.exec(select(func.min(PaymentRequest.end_try_at)).where(*_waiting(account_id)))).one()


async def ended_where_over(resources: Resources, opened: ToCheckout | LinkState) -> ToCheckout | LinkState:
    """Return what the link opens to; a link whose time is over gets its session ended first.

    The state is then Stripe's answer: ``trouble`` if Stripe refused, ``moment`` if it can't be
    reached or a payment is being made.
    """
    if isinstance(opened, ToCheckout) or opened.state != OVER:
        return opened
    link = opened.link
    with suppress(AlreadyPaid):
        try:
            await end(resources, link.request.account_id, link.request.id)
        except (NotConnected, StripeRefused):
            return LinkState("trouble", link)
        except (Conflict, StripeUnreachable):
            return LinkState("moment", link)
    link = await find_link(resources, link.request.link_token)
    return LinkState(link.state, link)


def _waiting(account_id: Any) -> tuple[Any, ...]:
    return (
        col(PaymentRequest.account_id) == account_id,
        col(PaymentRequest.end_try_at).is_not(None),
        col(PaymentRequest.session_n) > 0,
    )


async def _due(resources: Resources, account_id: int, now: float) -> list[str]:
    due = _overdue(account_id, now).order_by(col(PaymentRequest.end_try_at)).limit(AT_MOST)
    async with resources.database.read() as session:
        return list((await session.exec(due)).all())


def _overdue(account_id: Any, now: Any) -> SelectOfScalar[str]:
    return select(PaymentRequest.id).where(*_waiting(account_id), col(PaymentRequest.end_try_at) <= now)


_ANY_DUE = PlainRead(_overdue(bindparam("account_id"), bindparam("now", type_=Float)).limit(1))


async def _ended(resources: Resources, account_id: int, request_id: str) -> float | None:
    """End a request whose time is over. Return the delay in seconds until the next try, or
    None if nothing is left to do."""
    link = await find_request(resources, account_id, request_id)
    if not link.is_past_end:
        return _until_later(link)
    try:
        await end(resources, account_id, request_id)
    except AlreadyPaid:
        return None
    except ProductError as error:
        log.info("request expiry deferred", account=account_id, request=request_id, reason=str(error))
        return SOON_SECONDS
    return None


def _until_later(link: Link) -> float | None:
    """Return a delay while a bank payment is under way, which may still fail, or while the
    account shows the other mode."""
    return LATER_SECONDS if link.asked is None or link.state == "processing" else None


async def _try_again(resources: Resources, claim: Claim, request_id: str, seconds: float | None) -> None:
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await session.exec(
            update(PaymentRequest)
            .where(col(PaymentRequest.account_id) == claim.account_id, col(PaymentRequest.id) == request_id)
            .values(end_try_at=None if seconds is None else now + seconds)
        )
