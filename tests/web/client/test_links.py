"""The permanent link, as clients, preview bots and guessers meet it."""

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from babel import Locale

from backend.core.i18n import LANGUAGES
from backend.payments.schemas import MAX_INTERVALS
from backend.storage.models import Account, StripeConnection
from backend.web.client.link_pages import texts_of
from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from tests.world import CONNECTION, World, open_world
from tests.world.checkout import SESSIONS

DAY = 86400


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


async def test_a_fresh_link_leads_straight_to_checkout(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.open(request["url"])
    assert (answer.status_code, answer.headers["location"]) == (303, shop.checkout.session["url"])
    assert shop.checkout.calls("GET", f"{SESSIONS}/{shop.checkout.session['id']}") == []


async def test_a_session_older_than_a_minute_is_looked_up_first(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(61)
    answer = await shop.open(request["url"])
    assert answer.headers["location"] == shop.checkout.session["url"]
    assert len(shop.checkout.calls("GET", f"{SESSIONS}/{shop.checkout.session['id']}")) == 1


async def test_checkout_speaks_the_links_language_and_else_the_browsers(shop: World) -> None:
    request = await shop.rep.create()
    for language in ("pt", "ru", "xx"):
        shop.stripe.advance(2 * DAY)
        assert (await shop.open(f"{request['url']}?lang={language}")).status_code == 303
    assert [session["locale"] for session in shop.checkout.sessions] == ["auto", "pt-BR", "ru", "auto"]


async def test_checkout_speaks_the_links_language_from_the_first_opening_on(shop: World) -> None:
    """The session that is made with the link knows no language yet."""
    request = await shop.rep.create()
    first = await shop.open(f"{request['url']}?lang=ru")
    again = [await shop.open(f"{request['url']}?lang={language}") for language in ("ru", "es")]
    assert {answer.headers["location"] for answer in (first, *again)} == {shop.checkout.session["url"]}
    assert [(one["locale"], one["status"]) for one in shop.checkout.sessions] == [("auto", "expired"), ("ru", "open")]


async def test_a_page_that_may_be_being_paid_is_not_taken_away_for_its_language(shop: World) -> None:
    request = await shop.rep.create()
    for query in ("", "?lang=ru"):
        assert (await shop.open(f"{request['url']}{query}")).headers["location"] == shop.checkout.session["url"]
    assert len(shop.checkout.sessions) == 1


async def test_who_works_in_stripe_finds_the_deal(shop: World) -> None:
    await shop.paid()
    url = f"{shop.kommo.base_url}/leads/detail/{shop.first_deal.id}"
    _, payment = shop.stripe.locate(shop.checkout.session["payment_intent"])
    assert shop.checkout.session["metadata"]["kommo_lead_url"] == url
    assert payment["metadata"]["kommo_lead_url"] == url


async def test_a_link_outlives_its_session(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(30 * DAY)
    answer = await shop.open(request["url"])
    assert (answer.status_code, answer.headers["location"]) == (303, shop.checkout.session["url"])
    assert [session["status"] for session in shop.checkout.sessions] == ["expired", "open"]


async def test_a_session_with_too_little_time_left_is_replaced(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(DAY - 180)
    answer = await shop.open(request["url"])
    assert answer.headers["location"] == shop.checkout.session["url"]
    assert [session["status"] for session in shop.checkout.sessions] == ["expired", "open"]


async def test_many_openers_at_once_get_one_session(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    answers = await asyncio.gather(*(shop.open(request["url"]) for _ in range(5)))
    assert {answer.headers.get("location") for answer in answers} == {shop.checkout.session["url"]}
    assert len(shop.checkout.payable) == 1


async def test_a_paid_link_is_never_payable_again_though_no_webhook_came(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    shop.stripe.advance(2 * DAY)
    answers = [await shop.open(request["url"]) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "120.00" in answers[0].text
    assert shop.checkout.payable == []


async def test_money_seen_behind_a_link_is_booked_at_once(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    shop.stripe.advance(61)
    await shop.open(request["url"])
    deal = await shop.rep.deal()
    assert (deal["state"], deal["payments"][0]["id"]) == ("paid", shop.checkout.session["payment_intent"])


async def test_a_bank_payment_under_way_is_not_asked_for_twice(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.advance(2 * DAY)
    answer = await shop.open(request["url"])
    assert answer.status_code == 200
    assert "Payment under way" in answer.text
    assert shop.checkout.payable == []


async def test_after_a_failed_bank_payment_the_client_can_try_again(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.settle_payment(shop.checkout.session["payment_intent"], "failed")
    shop.stripe.advance(61)
    answer = await shop.open(request["url"])
    assert (answer.status_code, answer.headers["location"]) == (303, shop.checkout.session["url"])
    assert len(shop.checkout.sessions) == 2


async def test_while_a_payment_is_being_made_no_second_session_is(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(DAY - 180)
    shop.stripe.start_paying(shop.checkout.session["id"])
    answer = await shop.open(request["url"])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    assert len(shop.checkout.sessions) == 1


async def test_while_stripe_is_away_nothing_is_guessed(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    shop.checkout.fault("html_502")
    answer = await shop.open(request["url"])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    assert "One moment" in answer.text
    assert len(shop.checkout.sessions) == 1


async def test_while_stripe_says_nothing_at_all_the_client_is_asked_to_wait_and_nothing_is_made_twice(
    shop: World,
) -> None:
    """The first two openings hang, each with what Stripe did for it; three later ones find the same session."""
    request, other = await shop.rep.create(), await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    shop.checkout.fault("hang", count=3, seconds=16.0)
    begun = time.monotonic()
    opened, back = await asyncio.gather(
        shop.open(f"{request['url']}?lang=es"), shop.open(f"{other['url']}/thanks?lang=es")
    )
    assert time.monotonic() - begun < 10
    assert (opened.status_code, "Abriendo la página de pago" in opened.text) == (200, True)
    assert (back.status_code, "Un momento, por favor" in back.text) == (503, True)
    assert opened.headers["refresh"].startswith("2; ")
    for page, path in ((opened, ""), (back, "/thanks")):
        assert page.headers["refresh"].endswith(f"{path}?asked=1&lang=es")
    while (opened := await shop.open(opened.headers["refresh"].rpartition("url=")[2])).status_code == 200:
        assert "Abriendo" in opened.text
    again = [opened, *[await shop.open(request["url"]) for _ in range(3)]]
    assert {answer.headers.get("location") for answer in again if answer.status_code == 303} == {
        shop.checkout.session["url"]
    }
    assert len(shop.checkout.payable) == 1
    assert len(shop.checkout.sessions) == 3


async def test_a_page_that_waits_for_stripe_does_not_ask_for_ever(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(61)
    shop.checkout.fault("html_502", count=100)
    page = await shop.open(f"{request['url']}?asked=11&open=1")
    assert page.headers["refresh"] == f"15; url=/p/{request['url'].rpartition('/')[2]}?asked=12&open=1"
    assert "refresh" not in (await shop.open(f"{request['url']}?asked=12")).headers


async def test_a_cancelled_link_says_so(shop: World) -> None:
    request = await shop.rep.create()
    await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    answer = await shop.open(request["url"])
    assert answer.status_code == 200
    assert "Payment cancelled" in answer.text


async def test_an_unknown_link_is_404_and_guessing_is_slowed(shop: World) -> None:
    answers = [await shop.open(f"/p/{number:016d}") for number in range(31)]
    assert [answer.status_code for answer in answers] == [404] * 30 + [429]


async def test_guessers_close_no_door_to_a_client_behind_the_same_address(shop: World) -> None:
    request = await shop.rep.create()
    for number in range(40):
        await shop.open(f"/p/{number:016d}")
    assert (await shop.open(request["url"])).status_code == 303


@pytest.mark.parametrize("token", ["%00", "a" * 5000, "..%2f..%2fetc", "'%20or%201=1", "ⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷⅷ"])
async def test_a_strange_link_is_only_unknown(shop: World, token: str) -> None:
    assert (await shop.open(f"/p/{token}")).status_code == 404


BOTS = [
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1",
    "Viber/22.2.0 (Windows)",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
]


@pytest.mark.parametrize("agent", BOTS)
async def test_a_preview_bot_learns_what_is_asked_and_makes_nothing(shop: World, agent: str) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    answer = await shop.open(request["url"], **{"user-agent": agent})
    assert answer.status_code == 200
    assert '<meta property="og:title" content="[TEST] Acme Studio · €120.00' in answer.text
    assert '<meta property="og:description" content="Website, first part">' in answer.text
    token = request["url"].rpartition("/")[2]
    picture = f"{shop.settings.public_url}/p/{token}/picture.png?lang=en"
    assert f'<meta property="og:image" content="{picture}">' in answer.text
    assert (await shop.open(f"/p/{token}/picture.png?lang=en", **{"user-agent": agent})).status_code == 200
    assert len(shop.checkout.sessions) == 1


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("sec-purpose", "prefetch;anonymous-client-ip"),
        ("sec-purpose", "Prefetch; prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
    ],
)
async def test_a_browser_that_loads_a_link_early_opens_nothing(shop: World, header: str, value: str) -> None:
    request = await shop.rep.create()
    assert (await shop.open(request["url"], **{header: value})).status_code == 200
    assert (await shop.rep.deal())["requests"][0]["opened"] is False


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("?lang=ES", "en", "es"),
        ("?lang=pt_BR", "en", "pt"),
        ("?lang=fr-CA", "tr", "tr"),
        ("", "de, ru; q=0.8, en; q=0.5", "ru"),
        ("", "EN;Q=0.1, ES ; q = 0.9", "es"),
        ("", "es;q=nan, ru;q=-1, tr;q=x, id", "id"),
        ("", "in-ID,in;q=0.9,en-US;q=0.8", "id"),
    ],
)
async def test_a_language_is_read_however_it_is_written(shop: World, query: str, accepted: str, language: str) -> None:
    url = (await shop.rep.create())["url"]
    page = await shop.open(f"{url}/back{query}", **{"accept-language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert "None" not in page.text


async def test_a_telephone_named_cubot_is_no_bot(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.open(request["url"], **{"user-agent": "Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/120"})
    assert answer.status_code == 303


async def test_a_person_who_is_taken_for_a_bot_can_pay(shop: World) -> None:
    request = await shop.rep.create()
    agent = {"user-agent": "Mozilla/5.0 (Linux; Android 13; Embedded) Chrome/120"}
    page = await shop.open(f"{request['url']}?lang=es", **agent)
    (pressed,) = re.findall('<a class="button" href="([^"]+)"', page.text)
    answer = await shop.open(html.unescape(pressed), **agent)
    assert (page.status_code, answer.status_code) == (200, 303)
    assert (await shop.http.head(html.unescape(pressed), headers=agent)).status_code == 200


async def test_head_causes_nothing(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    before = len(shop.stripe.seen)
    answer = await shop.http.head(request["url"])
    assert (answer.status_code, answer.text) == (200, "")
    assert len(shop.stripe.seen) == before


async def test_the_first_opening_is_noticed(shop: World) -> None:
    request = await shop.rep.create()
    await shop.http.head(request["url"])
    unopened = await shop.rep.deal()
    await shop.open(request["url"])
    opened = await shop.rep.deal()
    assert (unopened["requests"][0]["opened"], opened["requests"][0]["opened"]) == (False, True)


async def test_the_thank_you_page_believes_stripe_and_not_the_address(shop: World) -> None:
    request = await shop.rep.create()
    early = await shop.open(f"{request['url']}/thanks")
    shop.stripe.pay_session(shop.checkout.session["id"])
    shop.stripe.advance(10.1)  # so long an answer of Stripe's is remembered
    paid = await shop.open(f"{request['url']}/thanks")
    assert "Not confirmed yet" in early.text
    assert early.headers["refresh"].startswith("5; ")
    assert "A test payment was received" in paid.text


async def test_the_thank_you_page_does_not_ask_for_ever(shop: World) -> None:
    """Each look is a read at Stripe, of which a merchant has ten thousand a month."""
    request = await shop.rep.create()
    page, looks = await shop.open(f"{request['url']}/thanks"), 1
    while "refresh" in page.headers:
        page, looks = await shop.open(page.headers["refresh"].rpartition("url=")[2]), looks + 1
    assert looks == 13
    assert "Nothing was paid" in page.text
    assert f'href="/p/{request["url"].rpartition("/")[2]}"' in page.text


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 5000, "1" * 3, "٣"])
async def test_how_often_it_asked_may_be_anything(shop: World, asked: str) -> None:
    request = await shop.rep.create()
    assert (await shop.http.get(f"{request['url']}/thanks", params={"asked": asked})).status_code == 200


async def test_the_thank_you_page_waits_for_no_payment_that_has_failed(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer("delayed"))
    shop.stripe.settle_payment(shop.checkout.session["payment_intent"], "failed")
    page = await shop.open(f"{request['url']}/thanks")
    assert "The payment did not go through" in page.text
    assert f'href="/p/{request["url"].rpartition("/")[2]}"' in page.text
    assert "refresh" not in page.headers


async def test_the_thank_you_page_waits_for_no_session_that_is_over(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(2 * DAY)
    page = await shop.open(f"{request['url']}/thanks")
    assert "Nothing was paid" in page.text
    assert "refresh" not in page.headers


async def test_a_client_who_comes_back_without_paying_can_go_on(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.open(f"{request['url']}/back")
    assert "Nothing was paid" in answer.text
    assert f'href="/p/{request["url"].rpartition("/")[2]}"' in answer.text


async def test_a_client_who_paid_and_goes_back_is_told_so(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert "A test payment was received" in (await shop.open(f"{request['url']}/back")).text


async def test_a_client_who_got_a_refund_is_told_how_much(shop: World) -> None:
    request = await shop.paid()
    await shop.may_refund()
    payment = shop.checkout.session["payment_intent"]
    await shop.rep.refund(payment, amount="30.00")
    partly = await shop.open(request["url"])
    sums = dict(re.findall("<dt>(.*?)</dt><dd.*?>(.*?)</dd>", partly.text))
    assert "<h1>Paid, partly returned</h1>" in partly.text
    told = [sums[name] for name in ("Amount", "Returned", "Paid, less returned")]
    assert told == [
        "€120.00\xa0EUR",
        "€30.00\xa0EUR",
        "€90.00\xa0EUR",
    ]
    await shop.rep.refund(payment, amount="90.00", expected_refunded="30.00")
    wholly = await shop.open(request["url"])
    assert "<h1>Payment returned</h1>" in wholly.text
    assert "A test payment was received" not in wholly.text


@pytest.mark.parametrize(
    ("interval", "count", "language", "told"),
    [
        ("month", 1, "en", "Renews automatically every month"),
        ("week", 2, "en", "Renews automatically every 2 weeks"),
        ("month", 3, "es", "Se renueva automáticamente cada 3 meses"),
        ("year", 1, "pt", "Renova-se automaticamente a cada ano"),
        ("month", 2, "tr", "2 ayda bir otomatik olarak yenilenir"),
        ("day", 30, "id", "Diperpanjang otomatis setiap 30 hari"),
        ("month", 1, "ru", "Продлевается автоматически каждый месяц"),
        ("week", 2, "ru", "Продлевается автоматически раз в 2 недели"),
        ("day", 21, "ru", "Продлевается автоматически раз в 21 день"),
        ("month", 12, "ru", "Продлевается автоматически раз в 12 месяцев"),
    ],
)
async def test_a_subscription_is_told_to_renew(
    shop: World, interval: str, count: int, language: str, told: str
) -> None:
    request = await shop.rep.create(mode="subscription", interval=interval, interval_count=count)
    page = await shop.open(f"{request['url']}?lang={language}", **{"user-agent": "WhatsApp/2.23.20.0"})
    assert f'<meta property="og:description" content="Website, first part · {told}">' in page.text
    assert f"<dd>{told}</dd>" in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rhythm_has_its_words(language: str) -> None:
    """Each form that the language's own rules ask for, of every number that Stripe takes."""
    texts = texts_of(language)
    for unit, most in MAX_INTERVALS.items():
        forms = {Locale.parse(language).plural_form(count) for count in range(2, most + 1)}
        assert {f"every_{unit}_{form}" for form in forms} - texts.keys() == set(), unit


async def test_what_was_cancelled_renews_nothing(shop: World) -> None:
    request = await shop.rep.create(mode="subscription", interval="month")
    await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    assert "Renews" not in (await shop.open(request["url"])).text


async def test_a_full_discount_settles_without_a_payment(shop: World) -> None:
    request = await shop.rep.create()
    shop.stripe.pay_session(shop.checkout.session["id"], Payer(discount=12000))
    assert "Nothing is left to pay" in (await shop.open(f"{request['url']}/thanks")).text


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("es-MX,en;q=0.5", "es", "Pago cancelado"),
        ("pt-BR", "pt", "Pagamento cancelado"),
        ("de,tr;q=0.8,en;q=0.1", "tr", "Ödeme iptal edildi"),
        ("id", "id", "Pembayaran dibatalkan"),
        ("ru;q=0.9, en;q=0.3", "ru", "Платёж отменён"),
        ("de", "en", "Payment cancelled"),
        (";;q=x,,", "en", "Payment cancelled"),
    ],
)
async def test_a_page_speaks_the_clients_language(shop: World, accepted: str, language: str, title: str) -> None:
    request = await shop.rep.create()
    await shop.rep.post(f"/widget/requests/{request['id']}/cancel")
    answer = await shop.open(request["url"], **{"accept-language": accepted})
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text


async def test_the_links_own_language_goes_before_the_browsers(shop: World) -> None:
    request = await shop.rep.create()
    token = request["url"].rpartition("/")[2]
    back = await shop.open(f"{request['url']}/back?lang=ru", **{"accept-language": "es"})
    waiting = await shop.open(f"{request['url']}/thanks?lang=ru", **{"accept-language": "es"})
    strange = await shop.open(f"{request['url']}/back?lang=%22%3E", **{"accept-language": "es"})
    assert ('<html lang="ru">' in back.text, f'href="/p/{token}?lang=ru"' in back.text) == (True, True)
    assert waiting.headers["refresh"].endswith("&lang=ru")
    assert ('<html lang="es">' in strange.text, f'href="/p/{token}"' in strange.text) == (True, True)


async def test_a_page_is_small_and_strict_and_sends_no_referrer(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.open(f"{request['url']}/back")
    assert len(answer.content) < 20_000
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    loaded = re.sub('<meta property="og:image" content="[^"]+">', "", answer.text)  # by chats, by no browser
    assert not re.search(r"<script|src=|https?://", loaded)


async def test_the_redirect_to_checkout_sends_no_referrer(shop: World) -> None:
    request = await shop.rep.create()
    answer = await shop.open(request["url"])
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")


async def test_a_hostile_description_is_only_text(shop: World) -> None:
    request = await shop.rep.create(description='"><script>alert(1)</script>{{ 7*7 }}')
    answer = await shop.open(f"{request['url']}/back")
    assert "<script" not in answer.text
    assert "{{ 7*7 }}" in answer.text


async def test_when_our_database_is_away_the_client_is_asked_to_wait(shop: World) -> None:
    request = await shop.rep.create()
    async with shop.resources.database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE payment_request RENAME TO away")
    answer = await shop.open(request["url"])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    assert "One moment" in answer.text


async def _spoil_the_key(shop: World, _request_id: str) -> None:
    """No secret of ours opens it any more."""
    async with shop.resources.database.write() as session:
        (await session.get_one(StripeConnection, CONNECTION)).api_key = "spoiled"


async def _spoil_the_options(shop: World, request_id: str) -> None:
    """Nobody expects such a value. The page of a link that was cancelled reads them."""
    await shop.rep.post(f"/widget/requests/{request_id}/cancel")
    async with shop.resources.database.write() as session:
        (await session.get_one(Account, shop.account.id)).options = {"business_name": 7}


@pytest.mark.parametrize("spoil", [_spoil_the_key, _spoil_the_options])
async def test_an_unexpected_error_is_a_page_as_well(
    shop: World, spoil: Callable[[World, str], Awaitable[None]]
) -> None:
    request = await shop.rep.create()
    shop.stripe.advance(61)
    await spoil(shop, request["id"])
    answer = await shop.open(request["url"], **{"accept-language": "es"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    assert "<h1>Un momento, por favor</h1>" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/p/", "/d/", "/p/aaaaaaaaaaaaaaaa/more", "/p/aaaaaaaaaaaaaaaa/thanks/more"])
async def test_an_address_that_was_cut_is_answered_by_a_page(shop: World, path: str) -> None:
    answer = await shop.open(path)
    assert (answer.status_code, "No payment at this address" in answer.text) == (404, True)


async def test_neither_kommo_nor_a_worker_is_needed(shop: World) -> None:
    request = await shop.rep.create()
    asked = len(shop.kommo.requests)
    shop.stripe.advance(2 * DAY)
    assert (await shop.open(request["url"])).status_code == 303
    assert len(shop.kommo.requests) == asked
