"""The page of all payments over real HTTP: found, filtered, summed up, told, and the same in its file."""

import csv
import html
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.admin.payment_list.search import SEARCHED
from sandbox.clock import MovableClock
from tests.world import World, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}
CONTENT = re.compile(r"<tbody>(.*?)</tbody>", re.DOTALL)


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/pay.db", clock=MovableClock(), worker=False) as found:
        yield found


@pytest.fixture
async def visitor(shop: World) -> httpx.AsyncClient:
    """An administrator's browser, let in from Kommo."""
    return await let_in(shop)


async def let_in(shop: World) -> httpx.AsyncClient:
    made = await shop.http.post("/widget/setup", headers=shop.token())
    entered = await shop.http.post(made.json()["url"].removeprefix(str(shop.http.base_url)), headers=OURS)
    assert entered.status_code == 303, entered.text
    shop.http.headers.update(OURS)
    return shop.http


async def listed(visitor: httpx.AsyncClient, **query: str) -> list[str]:
    """The descriptions of the lines that the page shows."""
    page = await visitor.get("/admin/payments", params=query)
    assert (page.status_code, "Sign out" in page.text) == (200, True)
    rows = page.text.partition('class="stacked list"')[2]
    return [html.unescape(one) for one in re.findall(r"<td[^>]*>\s*<bdi>(.*?)</bdi></td>", rows)]


async def filed(visitor: httpx.AsyncClient, **query: str) -> list[dict[str, str]]:
    answer = await visitor.get("/admin/payments.csv", params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


async def test_a_payment_is_found_by_all_that_a_person_knows_of_it(shop: World, visitor: httpx.AsyncClient) -> None:
    vera = shop.account.add_contact("Vera Client", email="vera@client.example", phone="+34 600 111 222")
    lead = shop.account.add_lead("Garden house", 20, contacts=[vera])
    other = shop.account.add_lead("Kitchen", 20)
    sofa = await shop.rep.create(lead_id=lead.id, description="Oak table")
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert (await shop.rep.post(f"/widget/deals/{lead.id}/check")).status_code == 202
    await shop.rep.create(lead_id=other.id, description="Kitchen lamp")
    (payment,) = [row["id"] for row in await filed(visitor) if row["type"] == "payment"]
    for words in ("garden", "vera@client", "600 111", "Vera Client", "oak TABLE", str(lead.id), payment, sofa["url"]):
        assert await listed(visitor, q=words) == ["Oak table"], words
        assert [row["description"] for row in await filed(visitor, q=words)] == ["Oak table"], words
    assert await listed(visitor, q="nobody knows this") == []
    assert await listed(visitor) == ["Kitchen lamp", "Oak table"] or await listed(visitor) == [
        "Oak table",
        "Kitchen lamp",
    ]
    shop.kommo.faults.add("503_html", "/api/v4/leads$", times=0)
    silent = await visitor.get("/admin/payments", params={"q": "kitchen"})
    assert "names, e-mails and phones were not searched" in silent.text
    assert (await visitor.get("/admin/payments.csv", params={"q": "kitchen"})).status_code == 503


async def test_a_deals_name_is_asked_of_kommo_once_a_minute(shop: World, visitor: httpx.AsyncClient) -> None:
    lead = shop.account.add_lead("Garden house", 20)
    await shop.rep.create(lead_id=lead.id, description="Oak table")

    async def shown() -> tuple[str, int]:
        before = len(shop.kommo.requests)
        page = (await visitor.get("/admin/payments")).text
        asked = [one for one in shop.kommo.requests[before:] if one.path == "/api/v4/leads"]
        return next(name for name in ("Garden house", "Orangery") if name in page), len(asked)

    assert [await shown(), await shown()] == [("Garden house", 1), ("Garden house", 0)]
    lead.name = "Orangery"
    shop.clock.advance(61.0)
    assert await shown() == ("Orangery", 1)


async def test_the_next_page_of_a_search_asks_kommo_nothing(shop: World, visitor: httpx.AsyncClient) -> None:
    lead = shop.account.add_lead("Garden house", 20)
    await shop.rep.create(lead_id=lead.id, description="Oak table")

    async def asked() -> int:
        before = len(shop.kommo.requests)
        assert await listed(visitor, q="garden") == ["Oak table"]
        return len([one for one in shop.kommo.requests[before:] if one.path in ("/api/v4/leads", "/api/v4/contacts")])

    assert [await asked() > 0, await asked()] == [True, 0]
    shop.clock.advance(SEARCHED.seconds + 1)
    assert await asked() == 2


async def test_the_name_of_a_deleted_deal_is_asked_for_once(shop: World, visitor: httpx.AsyncClient) -> None:
    lead = shop.account.add_lead("Garden house", 20)
    await shop.rep.create(lead_id=lead.id, description="Oak table")
    del shop.account.leads[lead.id]
    before = len(shop.kommo.requests)
    assert [await listed(visitor), await listed(visitor)] == [["Oak table"], ["Oak table"]]
    assert len([one for one in shop.kommo.requests[before:] if one.path == "/api/v4/leads"]) == 1


async def test_each_filter_narrows_the_page_its_sums_and_the_file_alike(
    shop: World, visitor: httpx.AsyncClient
) -> None:
    await shop.paid(description="Paid", amount="30.00")
    await shop.rep.create(description="Deposit", amount="12.00", kind="deposit", deal_total="40.00")
    shop.clock.advance(40 * 24 * 3600)
    await let_in(shop)
    await shop.paid(description="Yen", amount="5000", currency="JPY")
    for query, wanted in (
        ({"state": "received"}, {"Paid", "Yen"}),
        ({"state": "open"}, {"Deposit"}),
        ({"currency": "jpy"}, {"Yen"}),
        ({"what": "deposit"}, {"Deposit"}),
        ({"what": "single"}, {"Paid", "Yen"}),
        ({"state": "refunded"}, set()),
        ({"connection": "con_nobody"}, set()),
    ):
        assert set(await listed(visitor, **query)) == wanted, query
        assert {row["description"] for row in await filed(visitor, **query)} == wanted, query
    page = (await visitor.get("/admin/payments")).text
    sums = CONTENT.findall(page)[0]
    assert all(one in sums for one in ("€30.00", "¥5,000", "€12.00"))


async def test_the_story_of_a_payment_tells_every_step(shop: World, visitor: httpx.AsyncClient) -> None:
    await shop.stored.set_options(refunds=[shop.account.admin.id])
    request = await shop.rep.create(description="Sofa", amount="120.00")
    shop.clock.advance(60)
    await shop.open(request["url"])
    shop.clock.advance(60)
    shop.stripe.pay_session(shop.checkout.session["id"])
    await shop.rep.check()
    (row,) = await filed(visitor)
    shop.clock.advance(60)
    refunded = await shop.rep.refund(row["id"], amount="20.00")
    assert refunded.status_code == 201, refunded.text
    story = await visitor.get(f"/admin/payments/{row['deal']}/{row['id']}")
    assert story.status_code == 200
    steps = ["Payment requested by Ada Admin", "The client opened the link", "Paid", "Refund"]
    places = [story.text.find(f"<strong>{step}</strong>") for step in steps]
    assert -1 not in places
    assert places == sorted(places)
    assert (await visitor.get(f"/admin/payments/{row['deal']}/pi_unknown")).status_code == 404
    (after,) = await filed(visitor)
    assert (after["amount"], after["returned"], after["net"], after["state"]) == (
        "120.00", "20.00", "100.00", "partially_refunded")  # fmt: skip


async def test_the_app_speaks_the_language_of_its_kommo_user(shop: World, visitor: httpx.AsyncClient) -> None:
    said = {"es": "Pagos", "pt": "Pagamentos", "tr": "Ödemeler", "id": "Pembayaran", "ru": "Платежи"}
    for language, word in said.items():
        shop.account.admin.lang = language
        shop.clock.advance(61)
        page = (await visitor.get("/admin/payments")).text
        assert (f'<html lang="{language}">' in page, f"<h1>{word}</h1>" in page) == (True, True)
    shop.account.admin.lang = "de"
    shop.clock.advance(61)
    answer = await visitor.get("/admin/payments", headers={"Accept-Language": "tr;q=0.8, xx"})
    assert '<html lang="tr">' in answer.text


async def test_pages_load_nothing_but_our_own_two_files(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/admin/payments")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page.text
    assert re.findall(r"<script(?! src=\"/admin/files/app-[0-9a-f]{12}\.js\" defer>)", page.text) == []
    for address in re.findall(r'(?:href|src)="(/admin/files/[^"]+)"', page.text):
        answer = await visitor.get(address)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    assert (await visitor.get("/admin/files/app-000000000000.css")).status_code == 404
