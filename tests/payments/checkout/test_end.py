"""The end of a link: Stripe lets its session go first, and what Stripe answers to that is what happened."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from backend.core.days import day_at
from backend.payments.ending import end_due_requests, next_end
from backend.storage.models import PaymentRequest
from backend.work_queue.leases import claim, release
from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from tests.world import World, open_world

DAY = 86400.0


@pytest.fixture
async def shop(database_url: str, anyio_backend: str) -> AsyncIterator[World]:
    """On both databases: SQLite lets one writer in at a time and hides what PostgreSQL shows."""
    async with open_world(database_url, clock=MovableClock(), worker=False) as opened:
        yield opened


def in_days(shop: World, days: int) -> str:
    return (day_at(shop.clock(), "UTC") + timedelta(days=days)).isoformat()


async def ask(shop: World, **more: Any) -> dict[str, Any]:
    """A request whose link ends today, opened by nobody."""
    return await shop.rep.create(valid_until=in_days(shop, 0), **more)


async def turn(shop: World) -> None:
    """The worker's part of it."""
    claimed = await claim(shop.resources.database, "worker", shop.clock(), 0)
    assert claimed is not None
    try:
        await end_due_requests(shop.resources, claimed)
    finally:
        await release(shop.resources.database, claimed, wake_at=shop.clock())


async def state(shop: World) -> str:
    (request,) = (await shop.rep.deal())["requests"]
    return str(request["state"])


async def next_try(shop: World) -> float | None:
    async with shop.resources.database.read() as session:
        return await next_end(session, shop.account.id)


async def test_when_its_day_is_over_the_session_is_expired_and_the_link_says_whom_to_ask(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    request = await ask(shop)
    await turn(shop)
    assert (await state(shop), len(shop.checkout.payable)) == ("pending", 1)
    shop.stripe.advance(DAY)
    await turn(shop)
    assert (await state(shop), shop.checkout.session["status"], await next_try(shop)) == ("expired", "expired", None)
    page = await shop.open(request["url"])
    assert (page.status_code, "Ask Acme Studio for a new one" in page.text) == (200, True)
    statement = await shop.open((await shop.rep.deal())["statement_url"])
    assert "<button" not in statement.text
    assert "Ask Acme Studio" in statement.text


async def test_a_payment_that_nobody_had_told_of_counts_though_the_end_has_passed(shop: World) -> None:
    request = await ask(shop)
    shop.stripe.pay_session(shop.checkout.session["id"])
    shop.stripe.advance(DAY)
    await turn(shop)
    assert (await state(shop), await next_try(shop)) == ("paid", None)
    assert "Ask Acme Studio" not in (await shop.open(request["url"])).text


@pytest.mark.parametrize("kind", ["server_error", "cut_after", "html_502_after", "json_400_after"])
async def test_where_stripes_answer_is_lost_the_end_is_read_back(shop: World, kind: str) -> None:
    await ask(shop)
    shop.stripe.advance(DAY)
    shop.checkout.fault(kind, "/v1/checkout/sessions/*", count=50)
    await turn(shop)
    assert await state(shop) == "pending"
    shop.stripe.faults.ordered.clear()
    shop.stripe.advance(600)
    await turn(shop)
    assert (await state(shop), shop.checkout.payable) == ("expired", [])


@pytest.mark.parametrize(("outcome", "ends"), [("succeeded", "paid"), ("failed", "expired")])
async def test_a_bank_debit_under_way_is_waited_for(shop: World, outcome: str, ends: str) -> None:
    await ask(shop)
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.advance(DAY)
    await turn(shop)
    assert await state(shop) == "processing"
    shop.stripe.settle_payment(shop.checkout.session["payment_intent"], outcome)
    await shop.rep.check()
    shop.stripe.advance(DAY)
    await turn(shop)
    assert (await state(shop), await next_try(shop)) == (ends, None)


async def test_who_opens_the_link_after_its_end_ends_it_before_the_worker_does(shop: World) -> None:
    request = await ask(shop)
    shop.stripe.advance(DAY)
    page = await shop.open(request["url"])
    assert (page.status_code, "Ask Acme Studio" in page.text, shop.checkout.payable) == (200, True, [])
    assert await state(shop) == "expired"


@pytest.mark.parametrize("path", ["", "/thanks", "/back"])
async def test_who_has_paid_in_the_last_minute_is_thanked_after_the_end(shop: World, path: str) -> None:
    request = await ask(shop)
    await shop.open(request["url"])
    shop.stripe.pay_session(shop.checkout.session["id"])
    shop.stripe.advance(DAY)
    assert "was received" in (await shop.open(request["url"] + path)).text


async def test_a_link_that_is_opened_while_it_ends_leaves_nothing_payable(shop: World) -> None:
    request = await ask(shop)
    path = urlsplit(request["url"]).path
    shop.stripe.advance(DAY)
    async with shop.another_web() as other:
        opening = asyncio.gather(*(http.get(path) for http in (shop.http, other) * 5))
        await turn(shop)
        pages = await opening
    assert {page.status_code for page in pages} <= {200, 503}
    await turn(shop)
    assert (await state(shop), shop.checkout.payable, len(shop.checkout.sessions)) == ("expired", [], 1)


async def test_a_link_that_has_ended_may_still_be_replaced_and_leads_to_the_newer_one(shop: World) -> None:
    old = await ask(shop)
    shop.stripe.advance(DAY)
    await turn(shop)
    newer = await shop.rep.create(replaces=old["id"])
    assert newer["url"].rpartition("/")[2] in (await shop.open(old["url"])).text
    assert len(shop.checkout.payable) == 1


async def test_the_days_of_a_request_are_told_and_default_to_those_of_the_account(shop: World) -> None:
    await shop.stored.set_options(due_days=14, valid_days=30)
    usual = await shop.rep.create()
    assert (usual["due_on"], usual["valid_until"]) == (in_days(shop, 14), in_days(shop, 30))
    chosen = await shop.rep.create(due_on=in_days(shop, 3), valid_until=None)
    assert (chosen["due_on"], chosen.get("valid_until")) == (in_days(shop, 3), None)
    rows = await shop.rows(PaymentRequest)
    assert sorted(row.expires_at or 0.0 for row in rows)[0] == 0.0


@pytest.mark.parametrize(
    ("field", "dates"),
    [("due_on", (-1, None)), ("valid_until", (None, -1)), ("valid_until", (5, 4)), ("due_on", (800, None))],
)
async def test_days_that_make_no_sense_are_refused(
    shop: World, field: str, dates: tuple[int | None, int | None]
) -> None:
    due, valid = (None if days is None else in_days(shop, days) for days in dates)
    answer = await shop.rep.ask(due_on=due, valid_until=valid)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert shop.checkout.sessions == []


async def test_a_second_press_after_its_day_is_over_is_still_the_same_request(shop: World) -> None:
    order = shop.rep.order(due_on=in_days(shop, 0), valid_until=None)
    assert (await shop.rep.post("/widget/requests", order)).status_code == 201
    shop.stripe.advance(2 * DAY)
    assert (await shop.rep.post("/widget/requests", order)).status_code == 200
