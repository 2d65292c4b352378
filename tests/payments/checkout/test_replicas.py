"""Two web processes behind one address: whoever comes when, there is one payable session."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.payments.shop import Shop, open_shop

DAY = 86400


@pytest.fixture
async def shop(database_url: str, anyio_backend: str) -> AsyncIterator[Shop]:
    """On both databases: SQLite lets one writer in at a time and hides what PostgreSQL shows."""
    async with open_shop(database_url) as opened:
        yield opened


async def test_two_processes_that_open_a_link_at_once_make_one_session(shop: Shop) -> None:
    request = await shop.made()
    path = urlsplit(request["url"]).path
    shop.stripe.advance(2 * DAY)
    async with shop.replica() as other:
        answers = await asyncio.gather(*(http.get(path) for http in (shop.http, other) * 5))
    assert {answer.headers.get("location") for answer in answers} == {shop.session["url"]}
    assert len(shop.payable) == 1


async def test_fifty_openings_of_a_paid_link_make_nothing_payable(shop: Shop) -> None:
    request = await shop.made()
    path = urlsplit(request["url"]).path
    shop.stripe.pay_session(shop.session["id"])
    shop.stripe.advance(2 * DAY)
    async with shop.replica() as other:
        answers = await asyncio.gather(*(http.get(path) for http in (shop.http, other) * 25))
    assert {answer.status_code for answer in answers} == {200}
    assert shop.payable == []


async def test_the_same_press_at_two_processes_makes_one_session(shop: Shop) -> None:
    wish, token = shop.wish(), shop.token()
    async with shop.replica() as other:
        answers = await asyncio.gather(
            *(http.post("/widget/requests", json=wish, headers=token) for http in (shop.http, other) * 3)
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len(shop.sessions) == 1


async def test_a_link_that_is_opened_while_it_is_cancelled_is_not_payable(shop: Shop) -> None:
    request = await shop.made()
    shop.stripe.advance(2 * DAY)
    path = urlsplit(request["url"]).path
    async with shop.replica() as other:
        cancelled, _ = await asyncio.gather(
            shop.post(f"/widget/requests/{request['id']}/cancel"), other.get(path), return_exceptions=False
        )
    assert cancelled.status_code == 200
    assert shop.payable == []


async def test_many_refunds_at_once_are_one(shop: Shop) -> None:
    await shop.may_refund()
    await shop.paid()
    payment = shop.session["payment_intent"]
    answers = await asyncio.gather(*(shop.refund(payment, amount="30.00") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert (await shop.deal())["payments"][0]["refunded"] == "30.00"


async def test_a_request_is_marked_for_the_writer_in_the_same_breath(shop: Shop) -> None:
    await shop.made()
    assert shop.resources.work_arrived.is_set()
