"""The page of a payment that came, as the client keeps it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.core.i18n import LANGUAGES
from backend.ledger.deal import Method
from backend.payments.checkout.lookup import record_now
from backend.storage.models import Account, AccountWork, LedgerEntry, StripeConnection
from backend.stripe_api.events import EventContext, payment_intent_facts
from backend.web.client.link_pages import texts_of
from backend.web.client.methods import method_name
from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from sandbox.stripe.lives.foreign import Foreign
from tests.chromium import chromium
from tests.world import CONNECTION, World, open_world

DEPOSIT = {"amount": "100.00", "kind": "deposit", "deal_total": "400.00"}
BOT = {"user-agent": "WhatsApp/2.23.20.0"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


def _told(page: httpx.Response) -> dict[str, str]:
    return dict(re.findall("<dt>(.*?)</dt><dd.*?>(.*?)</dd>", page.text))


def _payment(shop: World) -> str:
    return str(shop.checkout.session["payment_intent"])


def _reads(shop: World) -> int:
    return len(shop.checkout.calls("GET", f"/v1/payment_intents/{_payment(shop)}"))


async def test_it_tells_what_when_how_and_for_what_and_the_amount_once(shop: World) -> None:
    request = await shop.paid()
    page = await shop.open(request["url"])
    told = _told(page)
    assert (told["Amount"], told["For"], told["Paid with"]) == (
        "€120.00\xa0EUR",
        "<bdi>Website, first part</bdi>",
        "Visa\xa0••••\xa04242",
    )
    assert re.fullmatch(r"\w+ \d+, \d{4}, \d+:\d\d\s[AP]M \(UTC\)", told["Paid on"])
    assert told["Reference"] == f"{shop.first_deal.id}-{request['id'][:8].upper()}"
    assert page.text.partition("<body>")[2].count("120.00") == 1


@pytest.mark.parametrize(("zone", "named"), [("America/Mexico_City", "CST"), ("America/Sao_Paulo", "UTC-03")])
async def test_the_time_is_the_merchants_and_names_its_zone(shop: World, zone: str, named: str) -> None:
    request = await shop.paid()
    async with shop.resources.database.write() as session:
        (await session.get_one(Account, shop.account.id)).timezone = zone
    assert _told(await shop.open(request["url"]))["Paid on"].endswith(f"({named})")


async def test_how_it_was_paid_is_asked_once_where_only_a_webhook_told_of_it(shop: World) -> None:
    request = await _paid_by_a_webhook_alone(shop)
    before = _reads(shop)
    pages = [await shop.open(request["url"]) for _ in range(3)]
    assert {_told(page)["Paid with"] for page in pages} == {"Visa\xa0••••\xa04242"}
    assert _reads(shop) == before + 1
    async with shop.another_web() as http:
        assert "4242" in (await http.get(request["url"])).text
    assert _reads(shop) == before + 1


async def test_what_the_page_stores_is_stored_on_both_databases(database_url: str) -> None:
    """The method, and the statement's token at its first asking."""
    async with open_world(database_url, clock=MovableClock(), worker=False) as shop:
        await shop.stored.set_options(statement=True)
        request = await _paid_by_a_webhook_alone(shop)
        before = _reads(shop)
        pages = [await shop.open(request["url"]) for _ in range(2)]
        assert {"4242" in page.text for page in pages} == {True}
        assert _reads(shop) == before + 1
        assert {len(re.findall(r'"/d/[^"]+"', page.text)) for page in pages} == {1}


async def test_a_bot_learns_nothing_new_and_causes_nothing(shop: World) -> None:
    request = await _paid_by_a_webhook_alone(shop)
    await shop.stored.set_options(statement=True)
    before = len(shop.stripe.seen)
    page = await shop.open(request["url"], **BOT)
    await shop.open(f"{request['url']}/receipt/{_payment(shop)}", **BOT)
    assert (len(shop.stripe.seen), "Paid with" in page.text, "/d/" in page.text) == (before, False, False)


@pytest.mark.parametrize("kind", ["html_502", "403", "hang"])
async def test_a_stripe_that_does_not_tell_keeps_the_page_from_nobody(shop: World, kind: str) -> None:
    request = await _paid_by_a_webhook_alone(shop)
    if kind == "403":
        await shop.stored.use_stripe_key("")
    else:
        shop.checkout.fault(kind, "/v1/payment_intents/*", seconds=16.0)
    page = await shop.open(request["url"])
    assert (page.status_code, _told(page)["Amount"], "Paid with" in page.text) == (200, "€120.00\xa0EUR", False)


async def test_how_it_was_paid_makes_no_deal_dirty(shop: World) -> None:
    request = await _paid_by_a_webhook_alone(shop)
    before = await _wanted(shop)
    assert "4242" in (await shop.open(request["url"])).text
    assert await _wanted(shop) == before


async def test_the_receipt_is_asked_for_at_the_click_and_kept_nowhere(shop: World) -> None:
    request = await shop.paid()
    payment = _payment(shop)
    (address,) = re.findall('<a href="([^"]+)">Receipt</a>', (await shop.open(f"{request['url']}?lang=en")).text)
    assert address == f"/p/{request['url'].rpartition('/')[2]}/receipt/{payment}?lang=en"
    before = _reads(shop)
    answer = await shop.open(address)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{shop.stripe.base_url}/c/receipt/{payment}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "was paid" in (await shop.http.get(answer.headers["location"])).text
    shop.stripe.advance(61)
    await shop.open(address)
    assert _reads(shop) == before + 2
    entries = await shop.rows(LedgerEntry)
    assert not [entry for entry in entries if "receipt" in str(entry.facts)]


async def test_a_receipt_that_stripe_does_not_show_is_a_page_with_the_way_back(shop: World) -> None:
    request = await shop.paid()
    shop.checkout.fault("html_502", "/v1/payment_intents/*")
    answer = await shop.open(f"{request['url']}/receipt/{_payment(shop)}?lang=es")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "<h1>Ahora no se puede mostrar el recibo</h1>" in answer.text
    assert f'href="/p/{request["url"].rpartition("/")[2]}?lang=es"' in answer.text


@pytest.mark.parametrize(
    "url", [None, "javascript:alert(1)", "http://evil.example/x", "https:///x", 7, "https://a\n.b/"]
)
async def test_only_a_page_that_a_browser_may_be_sent_to_is_a_receipt(shop: World, url: Any) -> None:
    request = await shop.paid()
    shelf, intent = shop.stripe.locate(_payment(shop))
    shelf.get("charge", intent["latest_charge"])["receipt_url"] = url
    answer = await shop.open(f"{request['url']}/receipt/{intent['id']}")
    assert (answer.status_code, "location" in answer.headers) == (503, False)


async def test_another_links_payment_has_no_receipt_here(shop: World) -> None:
    await shop.paid()
    other, payment = await shop.rep.create(), _payment(shop)
    other = await shop.paid()
    first = shop.checkout.sessions[0]["payment_intent"]
    assert first != payment
    for strange in (first, "pi_none", "x" * 256, "%00"):
        answer = await shop.open(f"{other['url']}/receipt/{strange}")
        assert (answer.status_code, "receipt" in answer.headers.get("location", "")) in ((303, False), (422, False))
    assert (await shop.open(f"/p/aaaaaaaaaaaaaaaa/receipt/{first}")).status_code == 404


async def test_what_is_still_open_leads_to_the_statement(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    request = await shop.paid(**DEPOSIT)
    page = await shop.open(f"{request['url']}?lang=en")
    statement = (await shop.rep.deal())["statement_url"].rpartition("/")[2]
    assert _told(page)["Still open"] == "€300.00\xa0EUR"
    assert f'<a class="button" href="/d/{statement}?lang=en">To the statement</a>' in page.text


async def test_what_is_still_open_leads_to_an_open_link_where_there_is_no_statement(shop: World) -> None:
    request = await shop.paid(**DEPOSIT)
    alone = await shop.open(request["url"])
    rest = await shop.rep.create(amount="300.00", kind="rest")
    page = await shop.open(request["url"])
    assert (_told(alone)["Still open"], 'class="button"' in alone.text) == ("€300.00\xa0EUR", False)
    token = rest["url"].rpartition("/")[2]
    assert f'<a class="button" href="/p/{token}">Pay €300.00\xa0EUR</a>' in page.text


async def test_where_nothing_is_open_it_says_nothing_of_it(shop: World) -> None:
    request = await shop.paid()
    page = await shop.open(request["url"])
    assert ("Still open" in page.text, 'class="button"' in page.text) == (False, False)


async def test_a_link_that_was_paid_twice_lists_both(shop: World) -> None:
    request = await shop.paid()
    marks = {"account": str(shop.account.id), "lead": str(shop.first_deal.id), "request": request["id"]}
    metadata = {f"kommo_{name}_id": value for name, value in marks.items()}
    second = shop.stripe.foreign_payment(Foreign(amount=12000, currency="eur", metadata=metadata))
    async with shop.resources.database.read() as session:
        connection = await session.get_one(StripeConnection, CONNECTION)
    told = EventContext(shop.clock(), shop.account.id)
    await record_now(shop.resources, connection, payment_intent_facts(second, told))
    page = await shop.open(request["url"])
    assert _told(page)["Amount"] == "€240.00\xa0EUR"
    assert page.text.count(">Receipt</a></li>") == 2
    assert page.text.count("4242") == 2


async def test_a_bank_debit_names_its_last_digits_too(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.settle_payment(_payment(shop), "paid")
    await shop.rep.check()
    assert _told(await shop.open(request["url"]))["Paid with"] == "Bank\xa0debit\xa0(SEPA)\xa0••••\xa03000"


OWN_NAMES = {"amex": "American Express", "pix": "Pix", "wechat_pay": "WeChat Pay", "ideal": "iDEAL"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OWN_NAMES)
def test_a_methods_own_name_is_the_same_in_every_language(language: str, name: str) -> None:
    method = Method("card", name, "") if name == "amex" else Method(name, "", "")
    assert method_name(method, texts_of(language)) == OWN_NAMES[name]


@pytest.mark.browser
async def test_it_prints_black_on_white_without_buttons(shop: World) -> None:
    await shop.stored.set_options(statement=True)
    page_of = (await shop.paid())["url"]
    async with chromium() as browser:
        page = await browser.new_page()
        await page.emulate_media(media="print", color_scheme="dark")
        await page.goto(page_of)
        colours = "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))"
        assert await page.evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert [await page.locator(one).is_visible() for one in (".button", ".way", ".amount")] == [False, False, True]


async def _paid_by_a_webhook_alone(shop: World) -> dict[str, Any]:
    """As the inbox has it: Stripe's events show no charge."""
    request = await shop.paid()
    async with shop.resources.database.write() as session:
        entry = await session.get_one(LedgerEntry, (CONNECTION, _payment(shop)))
        entry.facts = {name: value for name, value in entry.facts.items() if name != "paid_with"}
    return request


async def _wanted(shop: World) -> int:
    return sum(row.wanted for row in await shop.rows(AccountWork))
