"""A move that could surprise a client is offered to a person: old money, and money attached by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sandbox.clock import MovableClock
from sandbox.stripe.lives.foreign import Foreign
from tests.world import ADMIN_TOKEN, World, open_world


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", clock=clock) as one:
        yield one


async def _agree(product: World, lead_id: int) -> httpx.Response:
    url = f"{product.url}/admin/api/accounts/{product.account.id}/deals/{lead_id}/move"
    return await product.http.post(url, headers=product.admin)


async def _attached(product: World, lead_id: int) -> None:
    marks = {"kommo_account_id": str(product.account.id)}
    payment = product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)["id"]
    await product.quiet()
    given = {"account_id": product.account.id, "lead_id": lead_id}
    url = f"{product.url}/admin/api/unmatched/{payment}/attach"
    assert (await product.http.post(url, json=given, headers=product.admin)).status_code == 200
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()


async def test_money_attached_by_hand_writes_the_card_and_offers_the_move(product: World) -> None:
    lead_id = product.lead()
    stage = product.deal(lead_id)["status"]
    await _attached(product, lead_id)
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid"
    assert product.deal(lead_id)["status"] == stage != "Paid"

    ours = {"Sec-Fetch-Site": "same-origin"}
    await product.http.post(f"{product.url}/admin/login", data={"token": ADMIN_TOKEN}, headers=ours)
    page = await product.http.get(f"{product.url}/admin/deal?deal={lead_id}")
    assert "Move the deal to Paid" in page.text

    assert (await _agree(product, lead_id)).status_code == 200
    await product.until(lambda: product.deal(lead_id)["status"] == "Paid")
    await product.quiet()
    again = await _agree(product, lead_id)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


@pytest.mark.parametrize("kind", ["502_html", "429_html"])
async def test_what_a_person_agreed_to_is_still_agreed_when_kommo_stumbles(
    product: World, clock: MovableClock, kind: str
) -> None:
    lead_id = product.lead()
    await _attached(product, lead_id)
    product.kommo.faults.add(kind, "/leads$", method="PATCH")
    assert (await _agree(product, lead_id)).status_code == 200
    await product.until(lambda: not product.kommo.faults.waiting)
    await product.quiet()
    for _ in range(2):  # the doubt is settled, and then it is tried again
        clock.advance(product.resources.settle_seconds + 10)
        product.resources.work_arrived.set()
        await product.quiet()
    await product.until(lambda: product.deal(lead_id)["status"] == "Paid")
    assert [move["via"] for move in product.deal(lead_id)["moves"]] == ["api"]


async def test_a_deal_that_was_closed_meanwhile_stays_though_a_person_agreed(product: World) -> None:
    lead_id = product.lead()
    await _attached(product, lead_id)
    product.kommo.person().move_lead(lead_id, 143)
    assert (await _agree(product, lead_id)).status_code == 200
    await product.quiet()
    assert product.account.leads[lead_id].status_id == 143


async def test_how_old_money_may_be_is_the_admins_choice(product: World, clock: MovableClock) -> None:
    options = f"{product.url}/admin/api/accounts/{product.account.id}/options"
    assert (await product.http.put(options, json={"stage_hours": 1}, headers=product.admin)).status_code == 200
    assert (await product.http.put(options, json={"stage_hours": 0}, headers=product.admin)).status_code == 422
    lead_id = product.lead()
    product.stripe.courier.held = True
    await product.pay(await product.link(lead_id))
    clock.advance(2 * 3600)
    product.stripe.courier.held = False
    product.stripe.courier.release()
    await product.until(lambda: product.notes(lead_id))
    assert product.deal(lead_id)["status"] != "Paid"
    assert (await _agree(product, lead_id)).status_code == 200
    await product.until(lambda: product.deal(lead_id)["status"] == "Paid")
