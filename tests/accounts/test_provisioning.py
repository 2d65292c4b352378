"""Setting an account up, where something on the way does not answer."""

from pathlib import Path

from sandbox.stripe.traffic.faults import Fault
from tests.world import install, open_world

ENDPOINTS = "/v1/webhook_endpoints"


async def test_an_endpoint_that_stripe_had_no_time_for_is_made_some_seconds_later(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", connected=False) as product:
        product.stripe.faults.order(Fault("rate_limit", ENDPOINTS))
        await install(product)
        told = [seen.status for seen in product.stripe.seen if seen.path == ENDPOINTS]
        assert (told[0], told[-1]) == (429, 200)
