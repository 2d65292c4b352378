"""How long a webhook waits at the door while thousands of stored events are worked in by the same process."""

from bench.figures import Figures
from bench.ledger import store, waiting
from bench.rig.load import send_all
from bench.rig.staged import paid_deals, port_of, set_up
from bench.size import Size
from sandbox.product import running_product

CONNECTIONS = 20
PAUSE_SECONDS = 0.1
"""Together: 200 webhooks a second."""


async def measure(size: Size) -> Figures:
    async with set_up() as stage:
        await store(stage, size.backlog)
        requests = paid_deals(stage, size.backlog // 10)
        async with running_product(stage.settings, stage.folder):
            measured = await send_all(port_of(stage), requests, CONNECTIONS, pause=PAUSE_SECONDS)
            left = waiting(stage)
    print(f"backlog: {size.backlog} events are worked in (SQLite), 200 webhooks a second come: {measured}")
    print(f"  {left} still waited when the last webhook was answered")
    return {"backlog.door_p50_ms": measured.median_ms, "backlog.door_p99_ms": measured.p99_ms}
