"""Kommo blocks our address: nothing is sent for anybody, whoever looks is told, and the end of it is noticed."""

from pathlib import Path

from backend.worker.block_probe import probe_block
from sandbox.clock import MovableClock
from tests.world import World, open_world


async def _told(product: World) -> tuple[str, str, bool]:
    """What readiness, the accounts' list and the metrics say."""
    ready = await product.http.get(f"{product.url}/readyz")
    accounts = await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)
    metrics = await product.http.get(f"{product.url}/metrics", headers=product.admin)
    said: str = ready.json()["checks"]["kommo"]
    problem: str = accounts.json()[0]["problem"]
    return said, problem, "kommo_blocked_seconds 0.0" in metrics.text


async def test_a_block_silences_everything_is_told_and_is_noticed_when_it_ends(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        assert await _told(product) == ("ok", "", True)
        lead_id = product.lead()
        link = await product.link(lead_id)
        await product.quiet()
        product.kommo.limits.blocked.add("127.0.0.1")
        await product.pay(link)
        await product.quiet()
        since = len(product.kommo.requests)
        assert (await product.ask(product.lead())).status_code == 201
        await probe_block(product.resources)
        said, problem, _ = await _told(product)
        assert ("blocked our address" in said, "only Kommo's support" in problem) == (True, True)
        assert len(product.kommo.requests) == since
        product.kommo.limits.lift()
        clock.advance(31)
        await probe_block(product.resources)
        assert await _told(product) == ("ok", "", True)
        clock.advance(31)
        await product.until(lambda: product.notes(lead_id))
