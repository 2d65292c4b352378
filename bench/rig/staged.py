"""The product between both local worlds, connected and set up, for measurements that need more than its door."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from bench.rig.databases import database_of
from bench.rig.events import SECRET, webhooks
from sandbox.product import running_product
from sandbox.stage import Stage, connect, set_stage

PATIENCE_SECONDS = 1200.0
SETTINGS = {"LOG_FORMAT": "json", "STRIPE_WEBHOOK_SECRET": SECRET}


@asynccontextmanager
async def set_up(kind: str = "sqlite", **more: str) -> AsyncIterator[Stage]:
    """The stage after the installation; the product is stopped again, its database keeps everything."""
    async with set_stage(more=SETTINGS | more) as stage:
        stage.stripe.ground.switches.turn({"rate_limits": "none"})
        with database_of(kind, stage.folder) as url:
            stage.settings["DATABASE_URL"] = url
            async with running_product(stage.settings, stage.folder):
                await connect(stage)
                await _ready(stage)
            yield stage


async def _ready(stage: Stage) -> None:
    async with httpx.AsyncClient(headers=stage.admin, timeout=30.0) as http:
        for _ in range(1200):
            rows = (await http.get(f"{stage.backend_url}/admin/api/accounts")).json()
            if rows and rows[0]["ready"]:
                return
            await asyncio.sleep(0.05)
    raise TimeoutError("the account was not set up within a minute")


async def until(what: str, holds: Callable[[], object], *, every: float = 0.1) -> None:
    """Raises ``TimeoutError`` with ``what``."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {PATIENCE_SECONDS:.0f} seconds")
        await asyncio.sleep(every)


def port_of(stage: Stage) -> int:
    return int(stage.settings["PORT"])


def marks(stage: Stage, lead_id: int) -> dict[str, str]:
    """The metadata that makes a payment one of this deal."""
    return {"kommo_account_id": str(stage.kommo.account.id), "kommo_lead_id": str(lead_id)}


def paid_deals(stage: Stage, count: int, path: str = "/stripe/webhook") -> list[bytes]:
    """Webhooks of so many payments, each of a new deal."""
    account = stage.kommo.account
    leads = [account.add_lead(f"Deal {number}", 0).id for number in range(count)]
    return [one for lead_id in leads for one in webhooks(1, path, livemode=True, **marks(stage, lead_id))]
