"""Two web processes behind one address: whoever comes when, there is one payable session."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from sandbox.clock import MovableClock
from tests.world import World, open_world

DAY = 86400


@pytest.fixture
async def shop(database_url: str, anyio_backend: str) -> AsyncIterator[World]:
    """On both databases: SQLite lets one writer in at a time and hides what PostgreSQL shows."""
    async with open_world(database_url, clock=MovableClock(), worker=False) as opened:
        yield opened


async def test_two_processes_that_open_a_link_at_once_make_one_session(shop: World) -> None:
    request = await shop.rep.create()
    path = urlsplit(request["url"]).path
    shop.stripe.advance(2 * DAY)
    async with shop.another_web() as other:
        answers = await asyncio.gather(*(http.get(path) for http in (shop.http, other) * 5))
    assert {answer.headers.get("location") for answer in answers} == {shop.checkout.session["url"]}
    assert len(shop.checkout.payable) == 1


async def test_fifty_openings_of_a_paid_link_make_nothing_payable(shop: World) -> None:
    request = await shop.rep.create()
    path = urlsplit(request["url"]).path
    shop.stripe.pay_session(shop.checkout.session["id"])
    shop.stripe.advance(2 * DAY)
    async with shop.another_web() as other:
        answers = await asyncio.gather(*(http.get(path) for http in (shop.http, other) * 25))
    assert {answer.status_code for answer in answers} == {200}
    assert shop.checkout.payable == []


async def test_the_same_press_at_two_processes_makes_one_session(shop: World) -> None:
    wish, token = shop.rep.order(), shop.token()
    async with shop.another_web() as other:
        answers = await asyncio.gather(
            *(http.post("/widget/requests", json=wish, headers=token) for http in (shop.http, other) * 3)
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len(shop.checkout.sessions) == 1


async def test_a_link_that_is_opened_while_it_is_cancelled_is_not_payable(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    path = urlsplit(request["url"]).path
    async with shop.another_web() as other:
        cancelled, _ = await asyncio.gather(
            shop.rep.post(f"/widget/requests/{request['id']}/cancel"), other.get(path), return_exceptions=False
        )
    assert cancelled.status_code == 200
    assert shop.checkout.payable == []


async def test_many_refunds_at_once_are_one(shop: World) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.checkout.session["payment_intent"]
    answers = await asyncio.gather(*(shop.rep.refund(payment, amount="30.00") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert (await shop.rep.deal())["payments"][0]["refunded"] == "30.00"


async def test_a_request_marks_its_deal_for_the_writer_in_the_same_transaction(shop: World) -> None:
    await shop.rep.create()
    assert shop.resources.work_arrived.is_set()
