"""The callback's door: what may come in, what is told to whom, and that a refusal changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.storage.models import Account, PendingInstall
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.kommo.hooks.hooks import install as press_install
from sandbox.stripe import StripeWorld
from tests.accounts.connecting import TOKEN, asked, begun, return_from_kommo
from tests.world import World, open_world


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    """Served, and nobody has installed it."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock, connected=False) as one:
        yield one


async def nothing_happened(product: World) -> bool:
    return not asked(product, TOKEN) and not await product.rows(Account) and not await product.rows(PendingInstall)


async def test_kommos_redirect_connects_the_account(product: World) -> None:
    answer = await return_from_kommo(product)
    assert (answer.status_code, "is connected" in answer.text) == (200, True)
    assert "connect Stripe" not in answer.text
    assert [row.id for row in await product.rows(Account)] == [product.account.id]


async def test_an_admin_without_a_stripe_key_is_told_that_it_is_the_next_step(tmp_path: Path) -> None:
    more = {"stripe_api_key": ""}
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", connected=False, more=more) as product:
        answer = await return_from_kommo(product)
        assert ("is connected" in answer.text, "connect Stripe" in answer.text) == (True, True)
        assert f"{product.url}/admin" in answer.text


async def test_begin_needs_the_admins_token(product: World) -> None:
    answer = await product.http.get(f"{product.url}/oauth/kommo/start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized")


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_an_admin_who_begins_in_a_browser_is_asked_to_sign_in(product: World) -> None:
    """A browser can't be told to send a header."""
    answer = await product.http.get(f"{product.url}/oauth/kommo/start", headers=BROWSER)
    assert (answer.status_code, 'action="/admin/login"' in answer.text) == (401, True)


async def test_a_browser_hears_in_words_that_an_integration_is_not_known(product: World) -> None:
    sent = BROWSER | product.admin
    answer = await product.http.get(f"{product.url}/oauth/kommo/start", params={"client_id": "nobody"}, headers=sent)
    assert (answer.status_code, "<h1>" in answer.text, "/admin/accounts" in answer.text) == (409, True, True)


async def test_begin_leads_to_kommos_consent_page(product: World) -> None:
    answer = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
    address = answer.headers["location"]
    assert address.startswith(f"{product.kommo.base_url}/oauth?client_id={product.integration.client_id}&state=")
    assert address.endswith("&mode=popup")


async def test_begin_with_an_integration_that_is_not_known_is_told(product: World) -> None:
    answer = await product.http.get(
        f"{product.url}/oauth/kommo/start", params={"client_id": "nobody"}, headers=product.admin
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_connected")


@pytest.mark.parametrize(
    "referer",
    [
        "evil.example.com",
        "kommo.com",
        "www.kommo.com",
        "acme.kommo.com.evil.example",
        "acme.kommo.com:8443",
        "admin@acme.kommo.com",
        "evil.example@acme.kommo.com",
        "acme.kommo.com/oauth",
        "acme.kommo.com?x=1",
        "acme.kommo.com#",
        "https://acme.kommo.com",
        "127.0.0.1",
        "[::1]",
        "169.254.169.254",
        "аcme.kommo.com",  # the first letter is Cyrillic
        "acme.kommo.com\n",
        "acme。kommo.com",
        " acme.kommo.com",
        "",
        "x" * 9000,
    ],
)
async def test_a_referer_that_names_no_kommo_account_gets_no_secret(product: World, referer: str) -> None:
    answer = await return_from_kommo(product, referer=referer)
    assert (answer.status_code, "does not come from Kommo" in answer.text) == (400, True)
    assert await nothing_happened(product)


async def test_a_state_that_was_not_made_here_is_refused(product: World) -> None:
    answer = await return_from_kommo(product, state="made-up.state.of-nobody")
    assert (answer.status_code, "was not begun here" in answer.text) == (400, True)
    assert await nothing_happened(product)


async def test_a_state_is_good_for_an_hour(product: World, clock: MovableClock) -> None:
    old = await begun(product)
    clock.advance(3700)
    assert (await return_from_kommo(product, state=old)).status_code == 400
    assert await nothing_happened(product)


async def test_a_state_is_good_for_its_own_integration_only(product: World) -> None:
    other = product.kommo.add_integration(product.account, product.integration.redirect_uri)
    code = product.kommo.issue_code(other.client_id)
    answer = await return_from_kommo(product, client_id=other.client_id, code=code)
    assert (answer.status_code, "another integration" in answer.text) == (400, True)
    assert await nothing_happened(product)


@pytest.mark.parametrize("state", [None, ""])
@pytest.mark.parametrize("from_widget", [None, "0", "true"])
async def test_without_a_state_only_the_install_hook_comes(
    product: World, state: str | None, from_widget: str | None
) -> None:
    answer = await return_from_kommo(product, state=state, from_widget=from_widget)
    assert (answer.status_code, "parameter is missing" in answer.text) == (400, True)
    assert await nothing_happened(product)


async def test_the_install_hook_connects_without_a_person(product: World) -> None:
    product.kommo.switches.set("install_hook", "comes")
    sent = await press_install(product.kommo, product.integration.client_id)
    assert sent is not None
    assert sent.status == 200
    assert [row.state for row in await product.rows(Account)] == ["connected"]


async def test_an_install_hook_that_hangs_up_after_three_seconds_is_not_lost(product: World) -> None:
    product.kommo.switches.set("install_hook", "comes")
    product.kommo.faults.add("delay", TOKEN, seconds=3.5)
    sent = await press_install(product.kommo, product.integration.client_id)
    assert sent is not None
    assert sent.status == 0
    await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)
    assert [row.state for row in await product.rows(Account)] == ["connected"]


async def test_the_account_may_be_named_by_referrer_with_two_rs(product: World) -> None:
    product.kommo.switches.set("referer_name", "referrer")
    begun = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
    agreed = await product.http.get(f"{begun.headers['location']}&auto=allow")
    assert (await product.http.get(agreed.headers["location"])).status_code == 200


async def test_a_code_is_good_once(product: World) -> None:
    code = product.kommo.issue_code(product.integration.client_id)
    await return_from_kommo(product, code=code)
    again = await return_from_kommo(product, code=code)
    assert (again.status_code, "does not accept the code" in again.text) == (400, True)
    assert [row.token_version for row in await product.rows(Account)] == [1]


@pytest.mark.parametrize("hint", ["named", "absent"])
@pytest.mark.parametrize("status", ["400", "401"])
async def test_an_old_code_is_refused_in_words(product: World, clock: MovableClock, status: str, hint: str) -> None:
    product.kommo.switches.set("code_error_status", status)
    product.kommo.switches.set("code_error_hint", hint)
    code = product.kommo.issue_code(product.integration.client_id)
    clock.advance(21 * 60)
    answer = await return_from_kommo(product, code=code)
    assert (answer.status_code, "older than 20 minutes" in answer.text) == (400, True)
    assert await product.rows(Account) == []


async def test_another_redirect_uri_in_kommos_form_is_named(product: World) -> None:
    """To start again would end the same way."""
    product.kommo.integrations[product.integration.client_id].redirect_uri = f"{product.url}/oauth/kommo/callback/"
    answer = await return_from_kommo(product)
    assert (answer.status_code, f"Enter {product.url}/oauth/kommo/callback there exactly" in answer.text) == (400, True)
    assert "older than 20 minutes" not in answer.text


async def test_a_secret_that_was_renewed_in_kommo_is_named(product: World) -> None:
    product.kommo.renew_secret(product.integration.client_id)
    answer = await return_from_kommo(product)
    assert (answer.status_code, "secret key" in answer.text) == (400, True)
    assert await product.rows(Account) == []


async def test_an_admin_who_declines_is_told_how_to_go_on(product: World) -> None:
    begun = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
    declined = await product.http.get(f"{begun.headers['location']}&auto=decline")
    answer = await product.http.get(declined.headers["location"])
    assert (answer.status_code, "Access was declined" in answer.text) == (400, True)
    assert await nothing_happened(product)


async def test_an_error_from_outside_is_not_repeated_into_the_page(product: World) -> None:
    answer = await return_from_kommo(product, error="<script>alert(1)</script>")
    assert (answer.status_code, "<script>" in answer.text) == (400, False)


@pytest.mark.parametrize("missing", ["code", "client_id"])
async def test_half_a_redirect_is_refused(product: World, missing: str) -> None:
    answer = await return_from_kommo(product, **{missing: None})
    assert answer.status_code == 400
    assert await nothing_happened(product)


async def test_while_kommo_is_away_the_page_says_so(product: World) -> None:
    product.kommo.faults.add("502_html", TOKEN, times=0)
    answer = await return_from_kommo(product)
    assert (answer.status_code, "Start again in a moment" in answer.text) == (502, True)


async def test_an_exchange_that_never_reached_kommo_is_made_again(product: World) -> None:
    product.kommo.faults.add("drop_before", TOKEN)
    assert (await return_from_kommo(product)).status_code == 200


async def test_the_account_is_known_by_its_host_at_kommo(tmp_path: Path, clock: MovableClock) -> None:
    worlds = (KommoWorld(clock, kommo_hosts=True), StripeWorld(clock))
    url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    async with open_world(url, clock=clock, connected=False, worlds=worlds) as product:
        assert (await return_from_kommo(product)).status_code == 200
