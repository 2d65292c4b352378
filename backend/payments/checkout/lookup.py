"""What Stripe says of a session when it is asked, and how that enters the ledger."""

from collections.abc import Iterable
from contextlib import suppress

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.facts import Fact
from backend.ledger.absorb import absorb
from backend.resources import Resources
from backend.storage.models import StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Answer, Refused, StripeApi
from backend.stripe_api.events import EventContext, facts_of, invoice_payment_facts, payment_intent_facts, session_facts
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import mark_dirty

GIVEN_UP = ("requires_payment_method", "canceled")
"""States of a PaymentIntent whose last try brought nothing; behind a complete session no further try follows."""


async def facts_of_session(api: StripeApi, answer: Answer, told: EventContext) -> list[Fact]:
    """The session and its payments: further calls for what a session does not tell."""
    facts = list(session_facts(answer, told))
    with suppress(Refused):  # a key without the right to look further: the session itself tells enough
        if answer.get("invoice"):
            for row in await api.invoice_payments(answer["invoice"]):
                facts += invoice_payment_facts(row, told)
        if answer.get("payment_intent"):
            facts += _facts_of_intent(await api.payment_intent(answer["payment_intent"]), answer, told)
    return facts


def _facts_of_intent(intent: Answer, session: Answer, told: EventContext) -> list[Fact]:
    gave_up = intent["status"] in GIVEN_UP
    was_declined = gave_up and intent.get("last_payment_error")
    facts = facts_of(_as_declined(intent), told.account_id) if was_declined else [*payment_intent_facts(intent, told)]
    if gave_up and session["status"] == "complete":
        facts.append(Fact(session["id"], "async_failed", told.created))
    return facts


def _as_declined(intent: Answer) -> Answer:
    """The event that Stripe sent of it. When the try was made is not told; that it was after the intent, is."""
    return {"type": "payment_intent.payment_failed", "created": intent["created"], "data": {"object": intent}}


@repeated
async def record_now(resources: Resources, connection: StripeConnection, facts: Iterable[Fact]) -> None:
    """Into the ledger, in a unit of work of its own; the deals that changed will be written."""
    async with account_unit(resources.database, connection.account_id) as session:
        changed = await record(session, connection, facts, resources.clock())
    if changed:
        resources.work_arrived.set()


async def record(
    session: AsyncSession, connection: StripeConnection, facts: Iterable[Fact], now: float
) -> frozenset[int]:
    """The same in the caller's unit of work; the deals that changed."""
    absorbed = await absorb(session, connection, facts)
    await mark_dirty(session, connection.account_id or 0, absorbed.deals, now)
    return absorbed.deals
