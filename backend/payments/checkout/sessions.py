"""Checkout Sessions of a request: made under a key of their own, kept by compare-and-set.

A session whose address nobody was given can't be paid. So whoever loses the race to keep one drops it, and takes
the one that was kept.
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
from backend.payments.checkout.params import Around, session_params
from backend.resources import Resources
from backend.storage.models import Account, CheckoutSession, PaymentRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Answer, Refused, Unreachable
from backend.stripe_api.events import EventContext, session_facts
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A session to be made: the ``n``-th of ``request``, on ``connection``; ``language`` where its link names one."""

    request: PaymentRequest
    connection: StripeConnection
    n: int
    language: str | None = None

    def key(self, params: Mapping[str, Any]) -> str:
        """The idempotency key of ``params``: no other body ever goes out under it, whatever a second try changes.

        Our accounts may share one Stripe account, so the account is in it.
        """
        request = self.request
        body = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
        key = f"{request.account_id}:{request.id}:{body}:{self.n}"
        return f"{key}:{request.tries}" if request.tries else key


def email_row(account_id: int, request_id: str) -> str:
    return f"payment_request:{account_id}:{request_id}:email"


async def make(resources: Resources, order: SessionOrder) -> Answer:
    """Ask Stripe for the session; raises ``Refused`` or ``Unreachable``. An address it refuses is left out."""
    try:
        return await _make(resources, order)
    except Unreachable as error:
        if error.is_repeated:
            await _next_key(resources, order.request)
        raise


async def _make(resources: Resources, order: SessionOrder) -> Answer:
    api = stripe_api(resources, order.connection)
    around = await _around(resources, order)
    params = session_params(order.request, around)
    try:
        return await api.create_session(params, order.key(params))
    except Refused as refusal:
        if around.email is None or refusal.code != "email_invalid":
            raise
    params = session_params(order.request, replace(around, email=None))
    return await api.create_session(params, order.key(params))


async def _around(resources: Resources, order: SessionOrder) -> Around:
    async with resources.database.read() as session:
        account = await session.get_one(Account, order.request.account_id)
    email = _email(resources, order.request)
    return Around(email, resources.addresses.public_url, account.base_url, order.language)


async def _next_key(resources: Resources, request: PaymentRequest) -> None:
    """Stripe replays its fault to a key for a day. What it may have made all the same, nobody has the address of."""
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
    """The session becomes the request's current one. False: another came first, the request is no longer open,
    or the connection was removed."""
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
        if connection.state == "removed":  # meanwhile: nobody would hear of what is paid there
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
    """A session that was not kept is ended; the same one kept by another press is left alone."""
    async with resources.database.read() as session:
        kept = await session.get(CheckoutSession, (order.connection.id, answer["id"]))
    if kept is None:
        with suppress(Refused, Unreachable):  # it ends by itself within a day, and nobody has its address
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
