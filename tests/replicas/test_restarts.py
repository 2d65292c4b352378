"""Two workers and two webs on one PostgreSQL: workers are killed, the database is started again, and nothing is lost,
nothing doubled, and no unit of work ever waits for another that waits for it.

``REPLICAS_SEED`` in the environment: that run again; ``REPLICAS_SALES``: so many payments in the full run.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.storage.models import CardWrite, InboxEvent, PaymentRequest
from tests.postgres import copied_database
from tests.replicas.fleet import Replicas, open_replicas
from tests.replicas.till import crowd

pytestmark = pytest.mark.postgres
AT_ONCE = 20
UNFINISHED = ("new", "postponed", "dead")
MANY = int(os.environ.get("REPLICAS_SALES") or 5000)
COME_AGAIN = {"429", "503"}
"""What a web may answer while its database is away: not now, or first what the same rep has asked before."""


@pytest.fixture
def own_url(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[str]:
    with copied_database(postgres_url, request.getfixturevalue("_migrated_postgres")) as url:
        yield url


@pytest.mark.parametrize(
    ("sales", "between"), [(12, 3), pytest.param(MANY, 25, marks=pytest.mark.full)], ids=["few", "many"]
)
async def test_killed_workers_and_a_database_started_again_lose_nothing_and_double_nothing(
    sales: int, between: int, own_url: str, postgres_url: str, tmp_path: Path
) -> None:
    """A mishap after each ``between`` payments: three workers are killed, then the database is started again."""
    async with open_replicas(own_url, postgres_url, tmp_path) as replicas:
        await replicas.start_workers()
        troubles = asyncio.create_task(_trouble(replicas, sales, between))
        till = replicas.till
        await crowd(sales, AT_ONCE, lambda number: (till.hear if number % 5 else till.sell)(10 + number % 90))
        await troubles
        await replicas.rest()
        print(f"{sales} payments, {dict(replicas.mishaps)}, answers besides: {dict(replicas.till.refused)}")
        assert await wrong(replicas, sales) == []


async def _trouble(replicas: Replicas, sales: int, between: int) -> None:
    """Ends with the last sale; each mishap waits for its number of payments."""
    for number in range(1, sales // between + 1):
        while len(replicas.till.paid) < number * between:  # noqa: ASYNC110 (a payment wakes nobody)
            await asyncio.sleep(0.01)
        await (replicas.kill() if number % 4 else replicas.restart())


async def wrong(replicas: Replicas, sales: int) -> list[str]:
    """Each promise that does not hold, in words."""
    product, till = replicas.workers.product, replicas.till
    shelf = product.stripe.default_account.shelves[True]
    charged = sum(one["status"] == "succeeded" for one in shelf.objects["payment_intent"].values())
    requests = await product.rows(PaymentRequest)
    counts = {
        "charged at Stripe": charged - sales,
        "requests": len(requests) - till.links,
        "deals": len(till.paid) - sales,
    }
    events = Counter(one.state for one in await product.rows(InboxEvent))
    writes = Counter(one.state for one in await product.rows(CardWrite))
    return [
        *(f"{count:+} {what}" for what, count in counts.items() if count),
        *(f"{count} events are {state}" for state, count in events.items() if state in UNFINISHED),
        *(f"{count} writes are {state}" for state, count in writes.items() if state != "done"),
        *(f"deal {lead_id}: {what}" for lead_id in till.paid for what in _shown(replicas, lead_id)),
        *(
            f"a web answered {status} {count} times"
            for status, count in till.refused.items()
            if status not in COME_AGAIN
        ),
        *replicas.deadlocks,
    ]


def _shown(replicas: Replicas, lead_id: int) -> Iterator[str]:
    product, paid = replicas.workers.product, replicas.till.paid[lead_id]
    fields, notes = product.fields(lead_id), product.notes(lead_id)
    if len(notes) != 1:
        yield f"{len(notes)} notes"
    if fields.get("STRIPE_PAYMENT_STATUS") != "Paid":
        yield f"is {fields.get('STRIPE_PAYMENT_STATUS')}"
    if float(fields.get("STRIPE_AMOUNT_PAID") or 0) != paid:
        yield f"shows {fields.get('STRIPE_AMOUNT_PAID')} of {paid}"


@pytest.mark.parametrize("sales", [10, pytest.param(400, marks=pytest.mark.full)])
async def test_twenty_clients_who_pay_and_reps_who_ask_meet_no_deadlock_and_no_error(
    sales: int, own_url: str, postgres_url: str, tmp_path: Path
) -> None:
    """Clients pay and come back while reps ask for more and cancel it; the workers write what they did."""
    async with open_replicas(own_url, postgres_url, tmp_path) as replicas:
        await replicas.start_workers()

        async def sell_and_ask(number: int) -> None:
            lead_id = await replicas.till.sell(10 + number % 90)
            await replicas.till.ask_and_cancel(lead_id, 5)

        await crowd(sales, AT_ONCE, sell_and_ask)
        await replicas.rest()
        assert replicas.till.refused == {}
        assert replicas.deadlocks == []
