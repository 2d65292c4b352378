"""*Ask for what is open* in Kommo's list: what the preview says, that a run asks once, and who may begin one."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from backend.storage.models import PaymentRequest
from sandbox.clock import MovableClock
from tests.world import World, open_world


def _deal(product: World, name: str, price: int, *, contact: bool = True) -> int:
    account = product.account
    contacts = [account.add_contact("Ann", email="ann@example.com")] if contact else []
    return account.add_lead(name, price, contacts=contacts).id


async def _post(product: World, path: str, body: Any, user_id: int | None = None) -> httpx.Response:
    return await product.rep.post(f"/widget/lists{path}", body, user_id=user_id)


async def _finished(product: World, run_id: str) -> dict[str, int]:
    for _ in range(1_000):
        answer = await product.http.get(f"{product.url}/widget/lists/{run_id}", headers=product.token())
        progress: dict[str, int] = answer.json()
        if not progress["left"]:
            return progress
        await asyncio.sleep(0.03)
    raise AssertionError(progress)


async def test_a_run_asks_each_deal_once_for_what_is_open(database_url: str) -> None:
    async with open_world(database_url, clock=MovableClock()) as product:
        whole, nameless, free = (
            _deal(product, "Sofa", 300),
            _deal(product, "Chair", 80, contact=False),
            _deal(product, "Lamp", 0),
        )
        part = _deal(product, "Table", 500)
        await product.pay(await product.link(part, "200.00", kind="deposit", deal_total="500.00"))
        await product.quiet()
        leads = [whole, nameless, free, part]
        shown = (await _post(product, "/preview", {"lead_ids": leads})).json()["rows"]
        assert [(row["lead_id"], row["amount"]) for row in shown] == [
            (whole, "300.00 USD"), (nameless, ""), (free, ""), (part, "300.00 USD"),
        ]  # fmt: skip
        assert [row["why"] for row in shown if row["why"]] == ["The deal has no contact.", "The deal has no price."]
        run: dict[str, Any] = {"run_id": str(uuid.uuid4()), "lead_ids": [whole, part]}
        begun = [await _post(product, "", run) for _ in range(3)]
        assert [one.status_code for one in begun] == [202] * 3
        assert await _finished(product, run["run_id"]) == {"total": 2, "asked": 2, "not_asked": 0, "left": 0}
        rows: list[PaymentRequest] = await product.rows(PaymentRequest)
        assert sorted(row.amount for row in rows if row.lead_id in (whole, part)) == [20_000, 30_000, 30_000]


@pytest.fixture
async def shop(tmp_path: Any) -> Any:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=MovableClock(), worker=False) as opened:
        yield opened


async def test_deals_that_the_user_may_not_see_are_neither_shown_nor_asked(shop: World) -> None:
    rep, lead_id = shop.account.add_salesperson("Rep", "rep@shop.example"), _deal(shop, "Sofa", 300)
    shown = await _post(shop, "/preview", {"lead_ids": [lead_id]}, rep.id)
    assert (shown.status_code, shown.json()) == (200, {"rows": []})
    run = {"run_id": str(uuid.uuid4()), "lead_ids": [lead_id]}
    assert (await _post(shop, "", run, rep.id)).json()["total"] == 0


async def test_who_may_create_nothing_may_begin_no_run(shop: World) -> None:
    rep = shop.account.add_salesperson("Rep", "rep@shop.example")
    await shop.stored.set_options(create=[shop.account.admin.id])
    body = {"run_id": str(uuid.uuid4()), "lead_ids": [_deal(shop, "Sofa", 300)]}
    for path in ("", "/preview"):
        assert (await _post(shop, path, body, rep.id)).status_code == 403


async def test_a_run_of_another_user_is_unknown(shop: World) -> None:
    run = {"run_id": str(uuid.uuid4()), "lead_ids": [_deal(shop, "Sofa", 300)]}
    await _post(shop, "", run)
    rep = shop.account.add_salesperson("Rep", "rep@shop.example")
    answer = await shop.http.get(f"{shop.url}/widget/lists/{run['run_id']}", headers=shop.token(rep.id))
    assert answer.status_code == 404
