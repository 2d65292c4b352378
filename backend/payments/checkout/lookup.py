"""Fetch what Stripe knows about a session and its payments, and record it in the ledger."""

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
"""Statuses of a PaymentIntent whose last try failed. If its session is complete, no further try follows."""


async def facts_of_session(api: StripeApi, answer: Answer, told: EventContext) -> list[Fact]:
    """Return the facts about a session and, by further calls, about its payments.

    ``answer``: the session as Stripe returned it. A key without the right to read payments is no error: the session
    itself is enough. Raises ``Unreachable``.
    """
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
    """Return the ``payment_intent.payment_failed`` event of the intent, with the intent's creation as time.

    Stripe does not report when the try was made, only that it came later than that.
    """
    return {"type": "payment_intent.payment_failed", "created": intent["created"], "data": {"object": intent}}


@repeated
async def record_now(resources: Resources, connection: StripeConnection, facts: Iterable[Fact]) -> None:
    """Record facts in a unit of work of its own, mark the changed deals dirty and wake the worker."""
    async with account_unit(resources.database, connection.account_id) as session:
        changed = await record(session, connection, facts, resources.clock())
    if changed:
        resources.work_arrived.set()


async def record(
    session: AsyncSession, connection: StripeConnection, facts: Iterable[Fact], now: float
) -> frozenset[int]:
    """Record facts in the caller's unit of work, mark the changed deals dirty, and return their Kommo ids.

    ``now``: epoch seconds.
    """
    absorbed = await absorb(session, connection, facts)
    await mark_dirty(session, connection.account_id or 0, absorbed.deals, now)
    return absorbed.deals
