"""The statement of a deal, as clients, preview bots and guessers meet it."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.payments.checkout.lookup import record_now
from backend.storage.models import StripeConnection
from backend.stripe_api.events import facts_of
from backend.web.client.tokens import MOST_A_MINUTE
from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from sandbox.stripe.lives.foreign import Foreign
from tests.chromium import chromium
from tests.world import CONNECTION, World, open_world

DEPOSIT = {"amount": "100.00", "kind": "deposit", "deal_total": "400.00"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        await shop.stored.set_options(statement=True)
        yield shop


async def _address(shop: World) -> str:
    return str((await shop.rep.deal())["statement_url"])


async def test_it_is_switched_on_per_account_and_keeps_its_address(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    assert await _address(shop) == address
    assert len(address.rpartition("/")[2]) == 16
    assert (await shop.open(address)).status_code == 200
    await shop.stored.set_options(statement=False)
    assert (await shop.rep.deal())["statement_url"] is None
    assert (await shop.open(address)).status_code == 404


async def test_a_deal_that_nothing_was_asked_for_has_none(shop: World) -> None:
    assert (await shop.rep.deal())["statement_url"] is None


async def test_it_tells_what_was_agreed_paid_and_is_open(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    page = (await shop.open(await _address(shop))).text
    for told in (
        "Acme Studio",
        "Website, first part",
        "€400.00\xa0EUR",
        "€100.00\xa0EUR",
        "€300.00\xa0EUR",
        "Pay €300.00\xa0EUR",
    ):
        assert told in page, told


async def test_it_names_a_deposit_that_is_asked_for(shop: World) -> None:
    """Else nobody could tell why less is to be paid than is open."""
    await shop.rep.create(**DEPOSIT)
    page = (await shop.open(await _address(shop))).text
    assert "Pay the deposit of €100.00\xa0EUR" in page
    assert _sums(page) == {"Agreed": "€400.00\xa0EUR", "Paid": "€0.00\xa0EUR", "Still open": "€400.00\xa0EUR"}


async def test_a_deposit_that_was_paid_is_a_mark_of_its_payment(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    page = (await shop.open(await _address(shop))).text
    assert ": €100.00\xa0EUR · Deposit</li>" in page
    assert _sums(page) == {"Agreed": "€400.00\xa0EUR", "Paid": "€100.00\xa0EUR", "Still open": "€300.00\xa0EUR"}


async def test_paid_less_returned_is_kept_and_what_is_open_is_explained(shop: World) -> None:
    await shop.may_refund()
    await shop.paid(**DEPOSIT)
    await shop.rep.refund(shop.checkout.session["payment_intent"], amount="30.00")
    page = (await shop.open(await _address(shop))).text
    assert _sums(page) == {
        "Agreed": "€400.00\xa0EUR",
        "Paid": "€100.00\xa0EUR",
        "Returned": "€30.00\xa0EUR",
        "Paid, less returned": "€70.00\xa0EUR",
        "Still open": "€300.00\xa0EUR",
    }
    assert "· Deposit (Returned: €30.00\xa0EUR)" in page
    assert "Money that was returned is not asked for again" in page


async def test_money_that_a_dispute_took_stands_at_its_payment_too(shop: World) -> None:
    """Else the lines would not add up to what is said to be returned."""
    await shop.paid()
    taken = shop.stripe.open_dispute(shop.checkout.session["payment_intent"])
    lost = shop.stripe.close_dispute(taken["id"], "lost")
    async with shop.resources.database.read() as session:
        connection = await session.get_one(StripeConnection, CONNECTION)
    event = {"type": "charge.dispute.closed", "created": int(shop.clock()), "data": {"object": lost}}
    await record_now(shop.resources, connection, facts_of(event, shop.account.id))
    page = (await shop.open(await _address(shop))).text
    told = _sums(page)
    assert [told[name] for name in ("Paid", "Returned", "Paid, less returned")] == [
        "€120.00\xa0EUR",
        "€120.00\xa0EUR",
        "€0.00\xa0EUR",
    ]
    assert "(Returned: €120.00\xa0EUR)" in page


def _sums(page: str) -> dict[str, str]:
    told = dict(re.findall("<dt>(.*?)</dt><dd.*?>(.*?)</dd>", page))
    return {name: told[name] for name in told if name != "For"}


async def test_a_deal_without_a_deposit_does_not_speak_of_one(shop: World) -> None:
    await shop.rep.create()
    assert "Deposit" not in (await shop.open(await _address(shop))).text


async def test_it_tells_what_went_back(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as product:
        options = f"{product.url}/admin/api/accounts/{product.account.id}/options"
        await product.http.put(options, json={"statement": True}, headers=product.admin)
        lead_id = await product.paid_deal()
        product.stripe.refund(str(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]), 3000)
        await product.until(lambda: product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Partially refunded")
        deal = await product.http.get(f"{product.url}/widget/deals/{lead_id}", headers=product.token())
        page = (await product.http.get(deal.json()["statement_url"])).text
        assert "(Returned: $30.00\xa0USD)" in page
        assert "<form" not in page  # a refund reopens no debt


async def test_pay_the_rest_leads_to_one_link_however_often_it_is_pressed(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    answers = [await shop.http.post(f"{address}/pay") for _ in range(3)]
    (link,) = {answer.headers["location"] for answer in answers}
    assert [answer.status_code for answer in answers] == [303] * 3
    checkout = await shop.open(link)
    assert (checkout.status_code, shop.checkout.session["amount_total"]) == (303, 30000)
    shop.stripe.pay_session(shop.checkout.session["id"])
    await shop.rep.check()
    page = (await shop.open(address)).text
    assert "Nothing is left to pay" in page
    assert "<form" not in page
    assert (await shop.http.post(f"{address}/pay")).headers["location"] == address.removeprefix(str(shop.http.base_url))


async def test_what_a_bank_is_working_on_is_not_asked_for_again(shop: World) -> None:
    """Though a deposit was paid before, and so the deal as a whole is *partially paid*."""
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    await shop.open((await shop.http.post(f"{address}/pay")).headers["location"])
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    await shop.rep.check()
    page = (await shop.open(address)).text
    assert "The bank is still working on it" in page
    assert "<form" not in page
    assert (await shop.http.post(f"{address}/pay")).headers["location"].startswith("/d/")
    assert shop.checkout.payable == []


@pytest.mark.browser
async def test_its_button_leads_a_real_browser_to_checkout(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    async with chromium() as browser:
        page = await (await browser.new_context(java_script_enabled=False)).new_page()
        await page.goto(address)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url(lambda url: url != address)
        assert (page.url, shop.checkout.session["amount_total"]) == (shop.checkout.session["url"], 30000)


async def test_an_open_link_is_used_before_another_is_made(shop: World) -> None:
    request = await shop.rep.create(amount="120.00")
    answer = await shop.http.post(f"{await _address(shop)}/pay")
    assert request["url"].endswith(answer.headers["location"])
    assert len(shop.checkout.sessions) == 1


async def test_its_button_asks_for_no_more_than_is_open(tmp_path: Path) -> None:
    """What came without a link made the open one too big: a smaller one takes its place, and the total stays."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as product:
        options = f"{product.url}/admin/api/accounts/{product.account.id}/options"
        await product.http.put(options, json={"statement": True}, headers=product.admin)
        lead_id = product.lead()
        await product.link(lead_id, "400.00")
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        product.stripe.foreign_payment(Foreign(amount=30000, currency="usd", metadata=marks), live=True)
        await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Partially paid")

        async def deal() -> dict[str, Any]:
            answer = await product.http.get(f"{product.url}/widget/deals/{lead_id}", headers=product.token())
            return dict(answer.json())

        before = await deal()
        page = (await product.http.get(before["statement_url"])).text
        assert '<dt>Still open</dt><dd class="amount">$100.00\xa0USD' in page
        assert "Pay $100.00\xa0USD" in page
        links = {(await product.http.post(f"{before['statement_url']}/pay")).headers["location"] for _ in range(2)}
        after = await deal()
        assert (len(links), after["expected"], after["open"]) == (1, before["expected"], before["open"])
        assert [(one["state"], one["amount"]) for one in after["requests"]] == [
            ("pending", "100.00"),
            ("replaced", "400.00"),
        ]
        await product.pay(f"{product.url}{links.pop()}")
        await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid")
        assert "Nothing is left to pay" in (await product.http.get(before["statement_url"])).text


async def test_its_button_asks_in_the_currency_that_is_open(shop: World) -> None:
    await shop.paid(amount="50.00", currency="USD")
    await shop.rep.create(amount="10.00", currency="EUR")
    page = (await shop.open(await _address(shop))).text
    assert "Nothing is left to pay" not in page
    assert "Pay €10.00\xa0EUR" in page


async def test_looking_at_a_statement_stores_nothing(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address, before = await _address(shop), len(shop.stripe.seen)
    await shop.http.head(address)
    bot = await shop.open(address, **{"User-Agent": "WhatsApp/2.23"})
    assert 'property="og:title" content="[TEST] Acme Studio' in bot.text
    assert len(shop.stripe.seen) == before


async def test_stripe_away_is_told_to_the_client_and_nothing_is_half_made(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    shop.checkout.fault("html_502")
    answer = await shop.http.post(f"{address}/pay")
    assert (answer.status_code, "Please write to Acme Studio" in answer.text) == (503, True)
    assert len((await shop.rep.deal())["requests"]) == 1


@pytest.mark.full
async def test_stripe_that_says_nothing_at_all_keeps_no_client_waiting_and_asks_for_nothing_twice(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    shop.checkout.fault("hang", count=1, seconds=16.0)
    begun = time.monotonic()
    answer = await shop.http.post(f"{address}/pay")
    assert time.monotonic() - begun < 10
    assert (answer.status_code, "do not pay a second time" in answer.text) == (503, True)
    again = await shop.http.post(f"{address}/pay")
    while again.status_code == 503:
        again = await shop.http.post(f"{address}/pay")
    assert (await shop.open(again.headers["location"])).headers["location"] == shop.checkout.session["url"]
    assert [session["amount_total"] for session in shop.checkout.payable] == [30000]


async def test_the_answer_to_the_button_may_be_loaded_again(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    answer = await shop.open(f"{address}/pay?lang=ru")
    assert (answer.status_code, answer.headers["location"].startswith("/d/")) == (303, True)
    assert (await shop.open(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize("token", ["%2fevil.example", "%5cevil.example", "a%0d%0ax", "%3fx", ".."])
async def test_loading_it_again_leads_nowhere_else(shop: World, token: str) -> None:
    location = (await shop.open(f"/d/{token}/pay")).headers.get("location", "/d/")
    assert location.startswith("/d/")
    assert "//" not in location


async def test_a_full_discount_leaves_nothing_to_pay(shop: World) -> None:
    await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer(discount=12000))
    await shop.rep.check()
    assert "Nothing is left to pay" in (await shop.open(await _address(shop))).text


async def test_where_nothing_is_asked_for_any_more_it_says_so(shop: World) -> None:
    request = await shop.rep.create()
    address = await _address(shop)
    await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    page = (await shop.open(address)).text
    assert "No payment is being asked for at the moment" in page
    assert "<form" not in page


async def test_it_is_as_strict_and_as_light_as_the_links_pages(shop: World) -> None:
    await shop.paid(description="<script>alert(1)</script>")
    answer = await shop.open(await _address(shop))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "<script>" not in answer.text
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(("language", "told"), [("en", "every 2 weeks"), ("ru", "раз в 2 недели")])
async def test_a_subscription_is_told_to_renew(shop: World, language: str, told: str) -> None:
    await shop.rep.create(mode="subscription", interval="week", interval_count=2)
    page = (await shop.open(f"{await _address(shop)}?lang={language}")).text
    assert page.count(told) == 2  # in the preview of a messenger as well


async def test_guessers_are_slowed_down(shop: World) -> None:
    answers = [(await shop.open(f"/d/{n:016}")).status_code for n in range(31)]
    assert answers == [404] * 30 + [429]


@pytest.mark.parametrize(
    ("language", "word"),
    [("es", "Pendiente"), ("pt", "Em aberto"), ("tr", "Kalan"), ("id", "Sisa"), ("ru", "Осталось оплатить")],
)
async def test_it_speaks_the_clients_language(shop: World, language: str, word: str) -> None:
    await shop.paid(**DEPOSIT)
    answer = await shop.open(await _address(shop), **{"Accept-Language": language})
    assert word in answer.text
    assert answer.headers["Content-Language"] == language


async def test_the_links_own_language_goes_before_the_browsers(shop: World) -> None:
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    answer = await shop.open(f"{address}?lang=ru", **{"Accept-Language": "es"})
    assert answer.headers["Content-Language"] == "ru"
    assert f'action="{address.removeprefix(str(shop.http.base_url))}/pay?lang=ru"' in answer.text
    assert (await shop.http.post(f"{address}/pay?lang=ru")).headers["location"].endswith("?lang=ru")


async def test_one_statement_has_so_many_openings_and_presses_a_minute(shop: World) -> None:
    """Each press may be a call to Stripe, and each opening reads the whole deal."""
    await shop.paid(**DEPOSIT)
    address = await _address(shop)
    statuses = [(await shop.open(address)).status_code for _ in range(MOST_A_MINUTE + 1)]
    assert statuses == [200] * MOST_A_MINUTE + [429]
    assert (await shop.http.post(f"{address}/pay")).status_code == 429
    shop.stripe.advance(60)
    assert (await shop.open(address)).status_code == 200
