"""What it costs to open a payment link, beside a FastAPI route that only redirects.

Stripe is the local one, in this process: where we ask it, its own time is a part of what is measured.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import closing

import httpx

from backend.web.client.links import ANSWERS
from bench.figures import Figures
from bench.rig.beside import bare_route
from bench.rig.load import get, send_all
from bench.rig.rounds import best_of, ratio
from bench.rig.staged import port_of, set_up
from bench.size import Size
from sandbox.product import running_product
from sandbox.stage import Stage

OPENINGS = 8
CALLS_EACH = 15
CONNECTIONS = 16
PATIENCE_SECONDS = 30.0
YOUNG_SECONDS = 60
"""A session younger than this is believed without a question to Stripe."""


async def measure(size: Size) -> Figures:
    print(f"link: {size.links} links opened by {CONNECTIONS} clients at once (SQLite, all on one machine)")
    async with (
        set_up() as stage,
        bare_route() as bare,
        running_product(stage.settings, stage.folder, "serve", "--no-worker"),
    ):
        return await _side_by_side(stage, bare, size)


async def _side_by_side(stage: Stage, bare: int, size: Size) -> Figures:
    paths = await _make_links(stage, size.links)
    requests = [get(path) for path in paths]
    beside = [get(path.replace("/p/", "/")) for path in paths * OPENINGS]
    await _tell(stage, "first opening, session young", requests)
    best = await best_of(
        size.rounds,
        {
            "bare route that redirects": lambda: send_all(bare, beside, CONNECTIONS, wanted=303),
            "session known": lambda: send_all(port_of(stage), requests * OPENINGS, CONNECTIONS, wanted=303),
        },
    )
    for name, measured in best.items():
        print(f"  {name:<29} {measured}")
    _age(stage)
    await asyncio.sleep(ANSWERS.seconds)
    await _tell(stage, "looked up at Stripe", requests)
    await _end_sessions(stage)
    await asyncio.sleep(ANSWERS.seconds)
    await _tell(stage, "new session", requests)
    return {"link.ratio_to_bare": ratio(best["session known"], best["bare route that redirects"])}


async def _tell(stage: Stage, name: str, requests: list[bytes]) -> None:
    before = len(stage.stripe.seen)
    measured = await send_all(port_of(stage), requests, CONNECTIONS, wanted=303)
    calls = (len(stage.stripe.seen) - before) / len(requests)
    print(f"  {name:<29} {measured}, {calls:.1f} calls to Stripe each")


async def _make_links(stage: Stage, count: int) -> list[str]:
    """By as many people as it takes: each may call a few times a second."""
    account, client_id = stage.kommo.account, stage.integration.client_id
    leads = [account.add_lead(f"Deal {number}", 0).id for number in range(count)]
    paths: list[str] = []
    async with httpx.AsyncClient(timeout=60.0) as http:
        for number, lead_id in enumerate(leads):
            if number % CALLS_EACH == 0:
                user = account.add_user("Somebody", f"somebody{number}@example.com")
                http.headers["X-Auth-Token"] = stage.kommo.one_time_token(client_id, user.id)
            paths.append(httpx.URL(await _wish(stage, http, lead_id)).path)
    return paths


async def _wish(stage: Stage, http: httpx.AsyncClient, lead_id: int) -> str:
    body = {"request_id": str(uuid.uuid4()), "lead_id": lead_id, "amount": "120.00", "currency": "USD",
            "description": "Sofa", "mode": "payment"}  # fmt: skip
    answer = await http.post(f"{stage.backend_url}/widget/requests", json=body)
    answer.raise_for_status()
    return str(answer.json()["url"])


def _age(stage: Stage) -> None:
    """As if the links had been made a while ago."""
    with closing(sqlite3.connect(stage.folder / "bench.db", timeout=PATIENCE_SECONDS)) as database, database:
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
