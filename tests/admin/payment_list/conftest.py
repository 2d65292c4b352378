"""An account with a live connection, and what a random life at Stripe leaves in its ledger."""

import random
from collections.abc import AsyncIterator

import pytest

from backend.facts import Fact
from backend.ledger.absorb import absorb
from backend.storage.db import Database
from backend.storage.models import Account, PaymentRequest, StripeConnection
from backend.stripe_api.events import facts_of
from backend.work_queue.lock_order import lock_account_work
from backend.work_queue.wakeups import mark_dirty
from tests.ledger.events import ACCOUNT, T0
from tests.ledger.shop.random_shop import REQUESTS, RandomShop

CONNECTION = "con"
DEEDS = sorted(RandomShop(0).deeds)
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/Istanbul", "America/Sao_Paulo")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    async with database.write() as unit:
        unit.add(Account(id=ACCOUNT, base_url="https://a.example", tokens="", connected_at=0, currency="EUR"))
        unit.add(StripeConnection(id=CONNECTION, account_id=ACCOUNT, livemode=True))
        for name, (lead_id, asked) in REQUESTS.items():
            unit.add(
                PaymentRequest(
                    account_id=ACCOUNT, id=name, connection_id=CONNECTION, lead_id=lead_id, amount=asked.amount,
                    currency=asked.currency, description=f"=Sofa {name}", mode=asked.mode, content="x",
                    link_token=f"token-{name}", created_at=asked.created_at,
                )
            )  # fmt: skip
    yield database
    await database.close()


async def live(database: Database, seed: int, deeds: int = 60) -> None:
    """A random life, told in several portions; what it changes is marked as the inbox marks it."""
    draw = random.Random(seed)
    shop = RandomShop(seed)
    for _ in range(deeds):
        shop.do(draw.choice([*DEEDS, "pay", "pay"]), draw.randrange(36), draw.randrange(36))
    while shop.sent:
        some, shop.sent = shop.sent[:20], shop.sent[20:]
        await told(database, [fact for event in some for fact in facts_of(event, ACCOUNT)])


async def told(database: Database, facts: list[Fact]) -> None:
    async with database.write() as unit:
        await lock_account_work(unit, ACCOUNT)
        connection = await unit.get_one(StripeConnection, CONNECTION)
        absorbed = await absorb(unit, connection, facts)
        await mark_dirty(unit, ACCOUNT, absorbed.deals, float(T0))
