"""Create the Checkout Sessions of a request: each under its own idempotency key, committed by compare-and-set.

A session whose address was given to no client can't be paid. So the loser of a race discards its session and
uses the one that was committed.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from backend.accounts.stripe.connections import stripe_api
from backend.facts import Fact
from backend.ledger.absorb import absorb
from backend.payments.checkout.params import SessionContext, session_params
from backend.resources import Resources
from backend.storage.models import Account, CheckoutSession, PaymentRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Answer, Refused, Unreachable
from backend.stripe_api.events import EventContext, session_facts
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """An order for a session: the ``n``-th of ``request``, on ``connection``.

    ``language``: the language that the link names, or None.
    """

    request: PaymentRequest
    connection: StripeConnection
    n: int
    language: str | None = None

    def key(self, params: Mapping[str, Any]) -> str:
        """Return the idempotency key for ``params``: their hash is in it, so no other body is ever sent under it.

        The Kommo account is in it, too, because several accounts may use one Stripe account.
        """
        request = self.request
        body = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{request.account_id}:{request.id}:{body}:{self.n}"
        return f"{key}:{request.tries}" if request.tries else key


def email_row(account_id: int, request_id: str) -> str:
    """Return the encryption context that binds an encrypted e-mail address to its request's row."""
    return f"payment_request:{account_id}:{request_id}:email"


async def make(resources: Resources, order: SessionOrder) -> Answer:
    """Create the session at Stripe and return it. An e-mail address that Stripe refuses is left out.

    Raises ``Refused``, ``Unreachable`` or ``NotConnected``.
    """
    try:
        return await _make(resources, order)
    except Unreachable as error:
        if error.is_repeated:
            await _next_key(resources, order.request)
        raise


async def _make(resources: Resources, order: SessionOrder) -> Answer:
    api = stripe_api(resources, order.connection)
    context = await _context(resources, order)
    params = session_params(order.request, context)
    try:
        return await api.create_session(params, order.key(params))
    except Refused as refusal:
        if context.email is None or refusal.code != "email_invalid":
            raise
    params = session_params(order.request, replace(context, email=None))
    return await api.create_session(params, order.key(params))


async def _context(resources: Resources, order: SessionOrder) -> SessionContext:
    async with resources.database.read() as session:
        account = await session.get_one(Account, order.request.account_id)
    email = _email(resources, order.request)
    return SessionContext(email, resources.addresses.public_url, account.base_url, order.language)


async def _next_key(resources: Resources, request: PaymentRequest) -> None:
    """Advance the idempotency key: Stripe replays its fault for a key for a day (docs/facts/stripe.md B3).

    If Stripe created a session all the same, its address is known to no client.
    """
    async with resources.database.write() as session:
        await session.exec(
            update(PaymentRequest)
            .where(
                col(PaymentRequest.account_id) == request.account_id,
                col(PaymentRequest.id) == request.id,
                col(PaymentRequest.session_n) == request.session_n,
                col(PaymentRequest.tries) == request.tries,
            )
            .values(tries=request.tries + 1)
        )


def _email(resources: Resources, request: PaymentRequest) -> str | None:
    if request.email is None:
        return None
    return resources.vault.open_text(request.email, email_row(request.account_id, request.id))


@repeated
async def commit_session(resources: Resources, order: SessionOrder, answer: Answer) -> bool:
    """Make the session the request's current one, and record its facts.

    False if another session was first, if the request is closed, or if the connection was removed.
    """
    request, now = order.request, resources.clock()
    async with account_unit(resources.database, request.account_id) as session:
        connection = await session.get_one(StripeConnection, order.connection.id, with_for_update=True)
        won = await session.exec(
            update(PaymentRequest)
            .where(
                col(PaymentRequest.account_id) == request.account_id,
                col(PaymentRequest.id) == request.id,
                col(PaymentRequest.session_n) == order.n - 1,
                col(PaymentRequest.content) == request.content,
                col(PaymentRequest.cancelled_at).is_(None),
                col(PaymentRequest.ended_at).is_(None),
                col(PaymentRequest.replaced_by).is_(None),
            )
            .values(session_n=order.n, tries=0, connection_id=order.connection.id)
        )
        if not won.rowcount:
            return False
        if connection.state == "removed":  # no event would report a payment there any more
            await session.rollback()
            return False
        session.add(_row(order, answer, now))
        facts = [
            *session_facts(answer, EventContext(now, request.account_id)),
            Fact(answer["id"], "request", request.id),
        ]
        await absorb(session, order.connection, facts)
        await mark_dirty(session, request.account_id, [request.lead_id], now)
    resources.work_arrived.set()
    return True


async def discard_session(resources: Resources, order: SessionOrder, answer: Answer) -> None:
    """Expire a session that was not committed; one that another call committed stays."""
    async with resources.database.read() as session:
        kept = await session.get(CheckoutSession, (order.connection.id, answer["id"]))
    if kept is None:
        with suppress(Refused, Unreachable):  # it expires by itself within a day, and no client has its address
            await stripe_api(resources, order.connection).expire_session(answer["id"])


def _row(order: SessionOrder, answer: Answer, now: float) -> CheckoutSession:
    return CheckoutSession(
        connection_id=order.connection.id,
        id=answer["id"],
        account_id=order.request.account_id,
        request_id=order.request.id,
        n=order.n,
        url=answer["url"],
        expires_at=answer["expires_at"],
        made_at=now,
    )
