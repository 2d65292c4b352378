"""What it costs to open a payment link, beside a FastAPI route that only redirects.

Stripe is the local one, in this process: where we ask it, its own time is a part of what is measured.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import closing

import httpx

from bench.beside import bare_route
from bench.load import Measured, get_all
from sandbox.product import running_product
from sandbox.stage import Stage, connect, set_stage

LINKS = 300
ROUNDS = 10
CONNECTIONS = 16
PATIENCE_SECONDS = 30.0
YOUNG_SECONDS = 60
"""A session younger than this is believed without a question to Stripe."""


async def measure() -> None:
    print(f"link: {LINKS} links opened by {CONNECTIONS} clients at once (SQLite, web, Stripe and load on one machine)")
    async with set_stage(more={"LOG_FORMAT": "json"}) as stage:
        stage.stripe.ground.switches.turn({"rate_limits": "none"})
        async with running_product(stage.settings, stage.folder):
            await connect(stage)
            await _until_set_up(stage)
        async with running_product(stage.settings, stage.folder, "serve", "--no-worker"), bare_route() as bare:
            await _side_by_side(stage, bare)


async def _side_by_side(stage: Stage, bare: int) -> None:
    paths = await _make_links(stage)
    beside = await get_all(bare, (path.replace("/p/", "/") for path in paths * ROUNDS), CONNECTIONS, wanted=303)
    print(f"  bare route that redirects     {beside}")
    await _tell(stage, "first opening, session young", paths, beside)
    await _tell(stage, "session young", paths * ROUNDS, beside)
    _age(stage)
    await _tell(stage, "looked up at Stripe", paths, beside)
    await _end_sessions(stage)
    await _tell(stage, "new session", paths, beside)


async def _tell(stage: Stage, name: str, paths: list[str], beside: Measured) -> None:
    before = len(stage.stripe.seen)
    port = int(stage.backend_url.rpartition(":")[2])
    measured = await get_all(port, paths, CONNECTIONS, wanted=303)
    calls = (len(stage.stripe.seen) - before) / len(paths)
    share = measured.requests_per_second / beside.requests_per_second
    print(f"  {name:<29} {measured}  = {share:.0%} of the bare route, {calls:.1f} calls to Stripe each")


async def _until_set_up(stage: Stage) -> None:
    for _ in range(int(PATIENCE_SECONDS / 0.05)):
        if stage.stripe.default_account.shelves[True].endpoints:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"the webhook endpoint was not made within {PATIENCE_SECONDS:.0f} s")


async def _make_links(stage: Stage) -> list[str]:
    account = stage.kommo.account
    leads = [account.add_lead(f"Deal {number}", 0).id for number in range(LINKS)]
    token = stage.kommo.one_time_token(stage.integration.client_id, account.admin.id)
    async with httpx.AsyncClient(headers={"X-Auth-Token": token}, timeout=60.0) as http:
        made = [await _wish(stage, http, lead_id) for lead_id in leads]
    return [httpx.URL(url).path for url in made]


async def _wish(stage: Stage, http: httpx.AsyncClient, lead_id: int) -> str:
    body = {"request_id": str(uuid.uuid4()), "lead_id": lead_id, "amount": "120.00", "currency": "USD",
            "description": "Sofa", "mode": "payment"}  # fmt: skip
    answer = await http.post(f"{stage.backend_url}/widget/requests", json=body)
    answer.raise_for_status()
    return str(answer.json()["url"])


def _age(stage: Stage) -> None:
    """As if the links had been made a while ago."""
    with closing(sqlite3.connect(stage.folder / "kommo-stripe.db", timeout=PATIENCE_SECONDS)) as database, database:
        database.execute("UPDATE checkout_session SET made_at = made_at - ?", (YOUNG_SECONDS + 1,))


async def _end_sessions(stage: Stage) -> None:
    """Stripe ends every session that is open; we hear nothing of it."""
    bearer = {"Authorization": f"Bearer {stage.settings['STRIPE_API_KEY']}"}
    async with httpx.AsyncClient(base_url=stage.stripe.base_url, headers=bearer, timeout=60.0) as stripe:
        for session_id in _open_sessions(stage):
            (await stripe.post(f"/v1/checkout/sessions/{session_id}/expire")).raise_for_status()


def _open_sessions(stage: Stage) -> Iterable[str]:
    sessions = stage.stripe.default_account.shelves[True].objects["checkout.session"]
    return [one["id"] for one in list(sessions.values()) if one["status"] == "open"]
