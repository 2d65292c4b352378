"""``events catch-up`` beside a product that heard nothing: its two worlds are two hours behind the command's clock."""

import time
from pathlib import Path

from backend.storage.models import InboxEvent
from tests.command_line import typed
from tests.world import open_world


async def test_what_no_webhook_brought_is_fetched_and_worked_in(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", clock=lambda: time.time() - 7200) as product:
        for endpoint in product.stripe.default_account.shelves[True].endpoints.values():
            endpoint.shown["status"] = "disabled"
        lead_id = product.lead()
        await product.pay(await product.link(lead_id))
        await product.quiet()
        assert await product.rows(InboxEvent) == []
        code, said = await typed(product, tmp_path, "events", "catch-up", "--days", "1")
        assert (code, "live mode: 2 events that no webhook brought" in said) == (0, True), said
        await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid")
        assert "live mode: 0 events" in (await typed(product, tmp_path, "events", "catch-up"))[1]
        product.stripe.default_account.keys.clear()
        code, said = await typed(product, tmp_path, "events", "catch-up")
        assert (code, "could not be asked" in said) == (1, True), said
