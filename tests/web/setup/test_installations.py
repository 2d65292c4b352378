"""The operator's page shows what waits for a secret key, and connects it by that key alone."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.accounts.install.waiting import FEW
from backend.storage.models import Account, Integration
from sandbox.clock import MovableClock
from sandbox.kommo.accounts.grants import Integration as Made
from tests.accounts.connecting import return_from_kommo
from tests.world import ADMIN_TOKEN, World, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}
HOOK: dict[str, str | None] = {"state": None, "from_widget": "1"}
FORM = "/admin/integrations"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock, connected=False) as one:
        yield one


@pytest.fixture
async def operator(product: World) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=product.url, timeout=30.0, follow_redirects=True, headers=OURS) as http:
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        yield http


async def brought(product: World, **how: str) -> tuple[Made, str]:
    made = product.kommo.add_integration(product.account, how.get("redirect_uri", product.integration.redirect_uri))
    code = product.kommo.issue_code(made.client_id)
    assert (await return_from_kommo(product, client_id=made.client_id, code=code, **HOOK)).status_code == 200
    return made, code


def typed(made: Made, **more: str) -> dict[str, str]:
    """What the short form sends."""
    return {"which": "waiting", "client_id": made.client_id, "client_secret": made.client_secret} | more


def waiting(page: str) -> str:
    return page.partition('aria-labelledby="waiting"')[2].partition("</section>")[0]


async def test_it_is_shown_without_its_code_and_connected_by_its_key(
    product: World, operator: httpx.AsyncClient, clock: MovableClock
) -> None:
    made, code = await brought(product)
    clock.advance(3 * 60)
    page = (await operator.get("/admin/accounts")).text
    shown = waiting(page)
    host = product.kommo.base_url.partition("://")[2]
    assert (made.client_id in shown, f"{host}: 17 min left" in shown, code in page) == (True, True, False)
    answer = await operator.post(FORM, data=typed(made))
    assert ("The account is connected." in answer.text, waiting(answer.text)) == (True, "")
    assert [row.client_id for row in await product.rows(Account)] == [made.client_id]


async def test_a_wrong_key_is_told_at_its_own_field_and_is_not_shown_again(
    product: World, operator: httpx.AsyncClient
) -> None:
    await brought(product)
    made, _ = await brought(product)
    answer = await operator.post(FORM, data=typed(made) | {"client_secret": "mistyped"})
    assert (answer.status_code, "mistyped" in answer.text) == (422, False)
    form = next(one for one in waiting(answer.text).split("<form") if made.client_id in one)
    field = re.search(r'id="(client_secret-\d)"[^>]*aria-invalid="true" aria-describedby="error-\1"', form)
    assert field is not None
    assert answer.text.count('aria-invalid="true"') == 1
    assert "is connected" in (await operator.post(FORM, data=typed(made))).text


async def test_another_redirect_uri_is_asked_for_where_kommo_wants_one(
    product: World, operator: httpx.AsyncClient
) -> None:
    made, _ = await brought(product, redirect_uri="https://elsewhere.example.com/callback")
    answer = await operator.post(FORM, data=typed(made))
    assert (answer.status_code, "<details open>" in waiting(answer.text)) == (422, True)
    again = await operator.post(FORM, data=typed(made, redirect_uri=made.redirect_uri))
    assert "The account is connected." in again.text


async def test_the_long_form_takes_a_redirect_uri_too(product: World, operator: httpx.AsyncClient) -> None:
    made = product.kommo.add_integration(product.account, "https://elsewhere.example.com/callback")
    given = {"client_id": made.client_id, "client_secret": made.client_secret, "redirect_uri": made.redirect_uri}
    assert "The integration is kept." in (await operator.post(FORM, data=given)).text
    kept = {row.client_id: row.redirect_uri for row in await product.rows(Integration)}
    assert kept[made.client_id] == made.redirect_uri


async def test_a_key_that_comes_too_late_is_kept_and_the_next_step_said(
    product: World, operator: httpx.AsyncClient, clock: MovableClock
) -> None:
    made, _ = await brought(product)
    clock.advance(20 * 60 + 1)
    assert waiting((await operator.get("/admin/accounts")).text) == ""
    answer = (await operator.post(FORM, data=typed(made))).text
    assert ("The integration is kept." in answer, "Press Connect next to it" in answer) == (True, True)


async def test_strangers_fill_no_page(product: World, operator: httpx.AsyncClient, clock: MovableClock) -> None:
    for number in range(FEW + 3):
        await return_from_kommo(product, client_id=f"stranger-{number}", code="made up", **HOOK)
        clock.advance(1)
    for words in ("Call me: +1 555 0100", "<b>bold</b>", "x" * 90):
        await return_from_kommo(product, client_id=words, code="made up", **HOOK)
    shown = waiting((await operator.get("/admin/accounts")).text)
    assert shown.count("<form") == FEW
    assert "More of them wait: 3" in shown
    assert [words for words in ("stranger-0", "Call me", "bold", "xxx") if words in shown] == []
    assert f"stranger-{FEW + 2}" in shown


async def test_a_code_whose_known_key_is_wrong_is_told_until_the_right_one_comes(
    product: World, operator: httpx.AsyncClient
) -> None:
    """Kommo's install hook shows nobody our answer."""
    secret = product.integration.client_secret
    product.kommo.renew_secret(product.integration.client_id)
    assert (await return_from_kommo(product, **HOOK)).status_code == 400
    shown = waiting((await operator.get("/admin/accounts")).text)
    assert ("does not accept the secret key" in shown, "KOMMO_CLIENT_SECRET" in shown) == (True, True)
    made = product.kommo.integrations[product.integration.client_id]
    assert made.client_secret != secret
    answer = (await operator.post(FORM, data=typed(made))).text
    assert ("The account is connected." in answer, waiting(answer)) == (True, "")


async def test_an_admin_of_one_account_sees_no_installation_of_others(product: World) -> None:
    assert (await return_from_kommo(product)).status_code == 200
    await brought(product)
    answer = await product.http.post(f"{product.url}/widget/setup", headers=product.token())
    async with httpx.AsyncClient(base_url=product.url, follow_redirects=True, headers=OURS) as visitor:
        page = (await visitor.post(answer.json()["url"])).text
        assert ("Sign out" in page, "waits for you" in page) == (True, False)


async def test_the_operator_of_one_account_is_led_to_what_waits(product: World, operator: httpx.AsyncClient) -> None:
    assert (await return_from_kommo(product)).status_code == 200
    await brought(product)
    page = (await operator.get("/admin")).text
    assert '<a href="/admin/accounts#waiting">An installation waits for you</a>' in page
