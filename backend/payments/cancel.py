"""Retire a request (cancelled, replaced or ended): its session is expired at Stripe first,
and Stripe's answer decides."""

from typing import Any

from sqlalchemy import update
from sqlmodel import col

from backend.accounts.stripe.connections import stripe_api
from backend.core.clock import as_datetime
from backend.core.errors import AlreadyPaid, Conflict, NotConnected
from backend.core.telemetry.lines import note_after_commit
from backend.payments.checkout.lookup import facts_of_session, record_now
from backend.payments.checkout.orphaned import is_orphaned, mark_expired
from backend.payments.find import Link, find_request
from backend.payments.stripe_errors import in_words, out_of_reach
from backend.resources import Resources
from backend.storage.models import PaymentRequest
from backend.storage.repeating import repeated
from backend.stripe_api.client import Refused, Unreachable
from backend.stripe_api.events import EventContext
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

ROUNDS = 4
"""Attempts to retire a request while the client keeps opening new sessions."""


async def cancel(resources: Resources, account_id: int, request_id: str) -> None:
    """Cancel a request; a cancelled one stays as it is.

    Raises ``RequestNotFound``, ``AlreadyPaid``, or ``Conflict`` if money may still arrive. ``NotConnected``,
    ``StripeRefused`` and ``StripeUnreachable`` mean that Stripe could not end the session.
    """
    await _retire(resources, account_id, request_id, {"cancelled_at": resources.clock()})


async def replace(resources: Resources, account_id: int, request_id: str, newer_id: str) -> None:
    """Let the link of ``request_id`` point to that of ``newer_id`` from now on. Raises as ``cancel`` does."""
    await _retire(resources, account_id, request_id, {"replaced_by": newer_id})


async def end(resources: Resources, account_id: int, request_id: str) -> None:
    """Mark a request as ended once its session can't be paid any more. Raises as ``cancel`` does."""
    await _retire(resources, account_id, request_id, {"ended_at": resources.clock(), "end_try_at": None})


async def end_session(resources: Resources, link: Link) -> None:
    """Expire the request's current session, so that it can't be paid any more. Raises as ``cancel`` does."""
    check_unpaid(link)
    if not link.is_over:
        await _end_session(resources, link)
        check_unpaid(await find_request(resources, link.request.account_id, link.request.id))


def _done_already(change: dict[str, Any]) -> tuple[str, ...]:
    """Return the states in which a change is not needed: a request that has ended may
    still be cancelled or replaced."""
    return ("expired",) if "ended_at" in change else ()


async def _retire(resources: Resources, account_id: int, request_id: str, change: dict[str, Any]) -> None:
    for _ in range(ROUNDS):
        link = await find_request(resources, account_id, request_id)
        is_replaced = link.request.replaced_by == change.get("replaced_by", "")
        if is_replaced or link.state in ("cancelled", *_done_already(change)):
            return
        await end_session(resources, link)
        if await _mark(resources, link, change):
            return
    raise Conflict("The client is opening the link at this moment. Try again.")


def check_unpaid(link: Link) -> None:
    """Raise ``AlreadyPaid`` if the request was paid, ``Conflict`` if it is being paid or was replaced."""
    state = link.state
    if state == "paid":
        raise AlreadyPaid("This request is already paid. Refund the payment instead.")
    if state == "processing":
        raise Conflict("The client's bank payment is under way. Wait for it, then refund it.")
    if state == "replaced":
        raise Conflict("A newer link has replaced this one.")


async def _end_session(resources: Resources, link: Link) -> None:
    """Expire the current session at Stripe and record the answer: a payment may have been made in the meantime."""
    told = EventContext(resources.clock(), link.request.account_id)
    try:
        api = stripe_api(resources, link.holder)
        answer = await api.close_session(link.current.id)
        await record_now(resources, link.holder, await facts_of_session(api, answer, told))
    except (Refused, NotConnected) as refusal:
        if is_orphaned(link, refusal):
            await _expire_orphan(resources, link)
            return
        if isinstance(refusal, NotConnected):
            raise
        raise in_words(refusal) from refusal
    except Unreachable as error:
        raise out_of_reach(error) from error
    if answer["status"] == "open":
        raise Conflict("The client is paying at this moment. Look again in a minute.")


async def _expire_orphan(resources: Resources, link: Link) -> None:
    if not await mark_expired(resources, link):
        until = f"{as_datetime(link.free_at):%Y-%m-%d %H:%M} UTC"
        raise Conflict(f"The request may still be paid in the previous Stripe account until {until}. Try again then.")


@repeated
async def _mark(resources: Resources, link: Link, change: dict[str, Any]) -> bool:
    """Write the change and mark the deal dirty. False if a new session was made meanwhile, which must be ended, too."""
    request, now = link.request, resources.clock()
    async with account_unit(resources.database, request.account_id) as session:
        marked = await session.exec(
            update(PaymentRequest)
            .where(
                col(PaymentRequest.account_id) == request.account_id,
                col(PaymentRequest.id) == request.id,
                col(PaymentRequest.session_n) == request.session_n,
            )
            .values(**change)
        )
        if marked.rowcount:
            await mark_dirty(session, request.account_id, [request.lead_id], now)
            if "cancelled_at" in change:
                ids = {"account": request.account_id, "deal": request.lead_id, "payment_request": request.id}
                note_after_commit(session, "link cancelled", **ids)
    resources.work_arrived.set()
    return bool(marked.rowcount)
