"""Removes a draining Stripe connection: open payment pages are expired, its webhook and its key are deleted.

The row stays, without a secret: payments, refunds and notes made by it stay on their deals, and a key of the same
Stripe account makes it active again (``rotation.rotated_connection``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import stripe_api
from backend.accounts.stripe.webhook_endpoints import delete_endpoints
from backend.core.clock import as_datetime
from backend.core.errors import Conflict, NotConnected, RequestNotFound, StripeUnreachable
from backend.core.ids import usable_id
from backend.core.sentences.said import said, together
from backend.core.vault import CannotOpen
from backend.ledger.absorb import absorb
from backend.resources import Resources
from backend.storage.models import Audit, CheckoutSession, LedgerEntry, RefundRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Answer, KeyRefused, Refused, Unreachable
from backend.stripe_api.events import EventContext, session_facts
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

IN_DOUBT_SECONDS = 3600.0
"""How long a refund without an answer of Stripe may still turn out to exist."""
IN_USE = said("stripe_in_use")
OF_SETTINGS = said("stripe_of_settings")
UNREACHABLE = said("stripe_silent_stays")
WEBHOOK_LEFT = said("stripe_webhook_left")
log = structlog.get_logger()


async def remove_stripe(resources: Resources, account_id: int, connection_id: str, *, who: str) -> dict[str, Any]:
    """Remove the connection: ``{"removed": True}``, with a ``warning`` if its key could not end something at Stripe.

    Raises ``RequestNotFound``, ``Conflict`` (in use, from the settings, or a payment or refund under way) and, with
    nothing removed, ``StripeUnreachable``.
    """
    async with resources.database.read() as session:
        connection = await _to_remove(session, resources, account_id, connection_id)
        payable = await _payable(session, connection_id, resources.clock())
    try:
        left = await _end_all(resources, connection, payable)
        webhook_left = await _refuses_webhook(resources, connection)
    except Unreachable as error:
        raise StripeUnreachable(UNREACHABLE) from error
    await _erase(resources, connection, payable, left, who)
    log.info("Stripe connection removed", account=account_id, connection=connection_id, left=len(left))
    warning = together(_still_payable(left) if left else "", WEBHOOK_LEFT if webhook_left else "")
    return {"removed": True} | ({"warning": warning} if warning else {})


def _still_payable(left: Sequence[CheckoutSession]) -> str:
    until = as_datetime(max(one.expires_at for one in left))
    return said("stripe_pages_left", count=len(left), until=until)


async def _to_remove(
    session: AsyncSession, resources: Resources, account_id: int, connection_id: str, *, lock: bool = False
) -> StripeConnection:
    row = await session.get(StripeConnection, connection_id, with_for_update=lock) if usable_id(connection_id) else None
    if row is None or row.account_id != account_id or row.state == "removed":
        raise RequestNotFound(said("stripe_connection_unknown"))
    if row.state == "active":
        raise Conflict(IN_USE)
    if row.source == "environment":
        raise Conflict(OF_SETTINGS)
    if await _refund_in_doubt(session, row, resources.clock()):
        raise Conflict(said("stripe_refund_under_way"))
    return row


async def _refund_in_doubt(session: AsyncSession, connection: StripeConnection, now: float) -> bool:
    found = await session.exec(
        select(RefundRequest.id).where(
            RefundRequest.connection_id == connection.id,
            RefundRequest.refund_id == "",
            col(RefundRequest.created_at) > now - IN_DOUBT_SECONDS,
        )
    )
    return found.first() is not None


async def _payable(session: AsyncSession, connection_id: str, now: float) -> list[CheckoutSession]:
    """The connection's Checkout Sessions that a client may still pay: not expired, not completed as far as we know."""
    is_it = and_(
        col(LedgerEntry.connection_id) == col(CheckoutSession.connection_id),
        col(LedgerEntry.id) == col(CheckoutSession.id),
    )
    found = await session.exec(
        select(CheckoutSession, LedgerEntry)
        .join(LedgerEntry, is_it, isouter=True)
        .where(CheckoutSession.connection_id == connection_id, CheckoutSession.expires_at > now)
        .order_by(CheckoutSession.id)
    )
    return [row for row, entry in found.all() if _status(entry) not in ("complete", "expired")]


def _status(entry: LedgerEntry | None) -> str:
    facts: Mapping[str, Any] = entry.facts if entry else {}
    return str(facts.get("status", "open"))


async def _end_all(
    resources: Resources, connection: StripeConnection, payable: Sequence[CheckoutSession]
) -> list[CheckoutSession]:
    """Expire the sessions; returns those that Stripe did not let expire. Raises ``Conflict`` while a client pays."""
    try:
        api = stripe_api(resources, connection)
    except (NotConnected, CannotOpen):
        return list(payable)
    left: list[CheckoutSession] = []
    for number, one in enumerate(payable):
        try:
            answer = await api.close_session(one.id)
        except KeyRefused:
            return [*left, *payable[number:]]
        except Refused:
            left.append(one)
            continue
        await _learn(resources, connection, answer)
        if answer["status"] == "open":
            raise Conflict(said("stripe_client_paying"))
    return left


@repeated
async def _learn(resources: Resources, connection: StripeConnection, answer: Answer) -> None:
    now, account_id = resources.clock(), connection.account_id or 0
    async with account_unit(resources.database, account_id) as session:
        absorbed = await absorb(session, connection, session_facts(answer, EventContext(now, account_id)))
        await mark_dirty(session, account_id, absorbed.deals, now)
    resources.work_arrived.set()


async def _refuses_webhook(resources: Resources, connection: StripeConnection) -> bool:
    """Delete our webhook endpoints; True if one is left because Stripe refuses the key."""
    try:
        await delete_endpoints(resources, connection)
    except (Refused, NotConnected, CannotOpen) as error:
        log.warning("endpoint deletion failed", connection=connection.id, reason=str(error))
        return True
    return False


async def _erase(
    resources: Resources,
    connection: StripeConnection,
    ended: Sequence[CheckoutSession],
    left: Sequence[CheckoutSession],
    who: str,
) -> None:
    """Delete the secrets with the row locked: a session stored before is seen here; a later one finds it removed.

    The endpoint's id is not secret and stays, so that the next endpoint gets another idempotency key.
    """
    now, tried = resources.clock(), {one.id for one in ended}
    async with resources.database.write() as session:
        row = await _to_remove(session, resources, connection.account_id or 0, connection.id, lock=True)
        if {one.id for one in await _payable(session, row.id, now)} - tried:
            raise Conflict(said("stripe_link_opened"))
        row.state, row.api_key, row.problem = "removed", "", ""
        row.webhook_secrets, row.given_secrets = [], []
        session.add(row)
        after = {"id": row.id} | ({"pages_left_open": len(left)} if left else {})
        what = "Stripe connection removed"
        session.add(Audit(at=now, account_id=row.account_id, who=who, what=what, after=after))
