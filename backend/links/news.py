"""What Stripe says of a session when it is asked, and how that enters the ledger."""

from collections.abc import Iterable
from contextlib import suppress

from backend.facts import Fact
from backend.ledger.book import absorb
from backend.models import StripeConnection
from backend.resources import Resources
from backend.stripe_api.client import Answer, Refused, StripeApi
from backend.stripe_api.events import Told, invoice_payment_facts, payment_intent_facts, session_facts
from backend.wakeups import mark_dirty

GIVEN_UP = ("requires_payment_method", "canceled")
"""States of a PaymentIntent whose session is complete and whose money did not come."""


async def close(api: StripeApi, session_id: str) -> Answer:
    """Expire the session; where Stripe refuses, it is fetched again. The status of the answer decides."""
    try:
        return await api.expire_session(session_id)
    except Refused as refusal:
        if refusal.status in (401, 403, 404):
            raise
    return await api.session(session_id)


async def facts_of_session(api: StripeApi, answer: Answer, told: Told) -> list[Fact]:
    """The session and, where it is complete, its payments: further calls for what a session does not tell."""
    facts = list(session_facts(answer, told))
    if answer["status"] == "complete":
        with suppress(Refused):  # a key without the right to look further: the session itself tells enough
            facts += await _facts_of_payments(api, answer, told)
    return facts


async def _facts_of_payments(api: StripeApi, answer: Answer, told: Told) -> list[Fact]:
    facts: list[Fact] = []
    if answer.get("invoice"):
        for row in await api.invoice_payments(answer["invoice"]):
            facts += invoice_payment_facts(row, told)
    if answer.get("payment_intent"):
        intent = await api.payment_intent(answer["payment_intent"])
        facts += payment_intent_facts(intent, told)
        if intent["status"] in GIVEN_UP:
            facts.append(Fact(answer["id"], "async_failed", told.created))
    return facts


async def learn(resources: Resources, connection: StripeConnection, facts: Iterable[Fact]) -> None:
    """Into the ledger, in a unit of work of its own; the deals that changed will be written."""
    now = resources.clock()
    async with resources.database.write() as session:
        absorbed = await absorb(session, connection, facts)
        await mark_dirty(session, connection.account_id or 0, absorbed.deals, now)
    if absorbed.deals:
        resources.work_arrived.set()
