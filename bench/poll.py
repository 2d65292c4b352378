"""What the deal card's look at its payments costs, beside a FastAPI route that only answers (SQLite)."""

import asyncio

from bench.figures import Figures
from bench.rig.beside import bare_route
from bench.rig.load import Measured, get, send_all
from bench.rig.rounds import best_of, ratio
from bench.rig.staged import paid_deals, port_of, set_up
from bench.size import Size
from sandbox.product import running_product
from sandbox.stage import Stage

CONNECTIONS = 16
USERS = 24
CALLS_EACH = 15
REST_SECONDS = 3.0
"""A user may call 20 times at once, and as often again after that rest."""


async def measure(size: Size) -> Figures:
    async with (
        set_up() as stage,
        bare_route() as bare,
        running_product(stage.settings, stage.folder, "serve", "--no-worker"),
    ):
        await send_all(port_of(stage), paid_deals(stage, CONNECTIONS), 4)
        lead = next(iter(stage.kommo.account.leads))
        calls = _calls(stage, lead)
        await send_all(port_of(stage), calls[:USERS], 1)  # Kommo is asked for each of them, once
        bare_calls = [get(f"/deals/{lead}")] * size.events

        async def poll() -> Measured:
            await asyncio.sleep(REST_SECONDS)
            return await send_all(port_of(stage), calls, CONNECTIONS)

        best = await best_of(size.rounds, {"bare route": lambda: send_all(bare, bare_calls, CONNECTIONS), "poll": poll})
    print(f"poll: the card asks what is known of its deal, {CONNECTIONS} at once (SQLite)")
    for name, measured in best.items():
        print(f"  {name:<12} {measured}")
    return {"poll.ratio_to_bare": ratio(best["poll"], best["bare route"])}


def _calls(stage: Stage, lead: int) -> list[bytes]:
    """Of people who look at the same deal."""
    account, client_id = stage.kommo.account, stage.integration.client_id
    ids = [account.add_user("Somebody", f"somebody{number}@example.com").id for number in range(USERS)]
    tokens = [stage.kommo.one_time_token(client_id, user_id) for user_id in ids]
    return [get(f"/widget/deals/{lead}", x_auth_token=token) for _ in range(CALLS_EACH) for token in tokens]
