"""Others sell in the same Stripe account: theirs costs no call and no write, and nothing of their payers stays."""

import asyncio
import json
from pathlib import Path

import pytest
import stripe
from sqlalchemy import func
from sqlmodel import col, select

from backend.storage.models import InboxEvent, LedgerEntry
from tests.world import World, open_world

CANARY = "canary.payer@client.example"
AT_ONCE = 32


@pytest.mark.parametrize(("foreign", "ours"), [(300, 2), pytest.param(100_000, 100, marks=pytest.mark.full)])
async def test_a_flood_of_foreign_payments_costs_nothing_and_leaves_nothing(
    tmp_path: Path, foreign: int, ours: int
) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as product:
        leads = [await product.paid_deal() for _ in range(ours)]
        calls, writes = len(product.stripe.seen), _writes(product)
        await _post_all(product, foreign)
        await _worked_off(product)
        assert (len(product.stripe.seen), _writes(product)) == (calls, writes)
        assert [len(product.notes(lead)) for lead in leads] == [1] * ours
        async with product.resources.database.read() as session:
            kept = select(func.count()).where(InboxEvent.state == "foreign", col(InboxEvent.body).is_(None))
            assert (await session.exec(kept)).one() == foreign
            entries = (await session.exec(select(LedgerEntry).where(col(LedgerEntry.ours).is_(False)))).all()
        assert not [entry.id for entry in entries if CANARY in json.dumps(entry.facts)]
    assert CANARY.encode() not in _at_rest(tmp_path)


def _at_rest(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("product.db*"))


def _writes(product: World) -> int:
    return sum(asked.is_write for asked in product.kommo.requests)


async def _post_all(product: World, count: int) -> None:
    (endpoint,) = product.stripe.default_account.shelves[True].endpoints.values()
    secret = endpoint.active_secrets(product.resources.clock())[0]
    room = asyncio.Semaphore(AT_ONCE)

    async def post(number: int) -> None:
        body = json.dumps(_event(number))
        moment = int(product.resources.clock())
        signed = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=moment)
        async with room:
            answer = await product.http.post(endpoint.shown["url"], content=body, headers={"Stripe-Signature": signed})
        assert answer.status_code == 200, answer.text

    for start in range(0, count, 1000):
        await asyncio.gather(*(post(number) for number in range(start, min(count, start + 1000))))


def _event(number: int) -> dict[str, object]:
    intent = {
        "id": f"pi_foreign{number}",
        "object": "payment_intent",
        "amount": 2500,
        "amount_received": 2500,
        "currency": "eur",
        "status": "succeeded",
        "livemode": True,
        "created": 1_700_000_000,
        "metadata": {"order": str(number)},
        "receipt_email": CANARY,
        "description": f"Shoes for {CANARY}",
        "shipping": {"name": CANARY, "address": {"line1": CANARY}},
    }
    return {
        "id": f"evt_foreign{number}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "api_version": stripe.api_version,
        "created": 1_700_000_000,
        "livemode": True,
        "data": {"object": intent},
    }


async def _worked_off(product: World) -> None:
    waiting = select(func.count()).where(InboxEvent.state == "new")
    for _ in range(6000):
        async with product.resources.database.read() as session:
            if not (await session.exec(waiting)).one():
                return
        await asyncio.sleep(0.1)
    raise AssertionError("events are still waiting")
