"""The integration's keys are entered by the operator, and a secret is only called right when Kommo proved it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from backend.storage.models import Account, Integration
from tests.accounts.connecting import begun, return_from_kommo
from tests.world import ADMIN_TOKEN, World, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}
NO_KEYS = {"kommo_client_id": "", "kommo_client_secret": "", "stripe_api_key": ""}
HOOK: dict[str, str | None] = {"state": None, "from_widget": "1"}
WRONG = "a-secret-that-nobody-has"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/keys.db"


@asynccontextmanager
async def new_server(database_url: str) -> AsyncIterator[World]:
    """Only the server's own settings: no Kommo integration is known."""
    async with open_world(database_url, connected=False, more=NO_KEYS) as product:
        yield product


@asynccontextmanager
async def signed_in(product: World) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=product.url, timeout=30.0, follow_redirects=True, headers=OURS) as http:
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        yield http


async def given(http: httpx.AsyncClient, product: World, secret: str) -> str:
    form = {"client_id": product.integration.client_id, "client_secret": secret, "subdomain": product.account.subdomain}
    return (await http.post("/admin/integrations", data=form)).text


async def connect_another(product: World) -> None:
    """A further account that the operator let connect by the same integration."""
    client_id, base_url = product.integration.client_id, product.kommo.base_url
    row = Account(id=7, client_id=client_id, base_url=base_url, tokens="", connected_at=1)
    async with product.resources.database.write() as session:
        session.add(row)


async def integration(product: World) -> Integration:
    found: Integration = (await product.rows(Integration))[0]
    return found


async def test_before_the_keys_are_known_everybody_reads_who_enters_them_and_where(sqlite_url: str) -> None:
    async with new_server(sqlite_url) as product:
        place = f"{product.url}/admin/accounts"
        for path in ("/admin", "/admin/accounts", "/admin/payments"):
            page = await product.http.get(f"{product.url}{path}")
            assert "does not know Kommo&#39;s keys yet" in page.text
            assert "Its operator enters them here" in page.text
        card = await product.http.get(f"{product.url}/widget/deals/{product.lead()}", headers=product.token())
        error = card.json()["error"]
        assert (card.status_code, error["code"], place in error["message"]) == (401, "keys_not_known", True)
        start = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
        assert (start.status_code, place in start.json()["error"]["message"]) == (409, True)
        hook = await product.http.get(
            f"{product.url}/oauth/kommo/callback",
            params={
                "code": product.kommo.issue_code(product.integration.client_id),
                "client_id": product.integration.client_id,
                "referer": product.kommo.host_of(product.account),
                "from_widget": "1",
            },
        )
        assert "operator adds the integration" in hook.text
        assert place in hook.text
        async with signed_in(product) as http:
            await given(http, product, product.integration.client_secret)
        assert "does not know Kommo's keys yet" not in (await product.http.get(f"{product.url}/admin")).text


async def test_only_the_operator_enters_keys_of_a_new_integration(sqlite_url: str) -> None:
    async with new_server(sqlite_url) as product:
        form = {"client_id": product.integration.client_id, "client_secret": product.integration.client_secret}
        for headers in ({}, OURS, OURS | {"Cookie": "kommo_stripe_setup=guessed"}, OURS | product.token()):
            answer = await product.http.post(f"{product.url}/admin/integrations", data=form, headers=headers)
            assert answer.status_code in (401, 403)
        assert await product.rows(Integration) == []


@pytest.mark.parametrize("client_error", ["401_bare", "400_hint"])
async def test_a_secret_is_saved_then_refused_then_works(database_url: str, client_error: str) -> None:
    async with new_server(database_url) as product, signed_in(product) as http:
        product.kommo.switches.set("client_error", client_error)
        page = await given(http, product, WRONG)
        assert "not tried yet" in page
        assert WRONG not in page
        assert WRONG not in (await integration(product)).secret
        refused = await return_from_kommo(product, **HOOK)
        assert refused.status_code == 400
        page = (await http.get("/admin/accounts")).text
        assert ("Kommo refused it at" in page, "not tried yet" in page, WRONG in page) == (True, False, False)
        page = await given(http, product, product.integration.client_secret)
        assert ("Works since" in page, "Kommo refused it at" in page) == (True, False)
        assert "The account is connected." in page


async def test_the_first_signed_call_proves_a_secret_and_no_forged_one_touches_it(sqlite_url: str) -> None:
    async with open_world(sqlite_url, worker=False) as product:
        row = await integration(product)
        assert (row.proven_at, row.refused_at) == (0.0, 0.0)
        path = f"{product.url}/widget/deals/{product.lead()}"
        forged = product.token()["X-Auth-Token"][:-4] + "AAAA"
        assert (await product.http.get(path, headers={"X-Auth-Token": forged})).status_code == 401
        assert (await integration(product)).proven_at == 0.0
        assert (await product.http.get(path, headers=product.token())).status_code == 200
        first = (await integration(product)).proven_at
        assert first > 0.0
        assert (await product.http.get(path, headers=product.token())).status_code == 200
        assert (await integration(product)).proven_at == first


async def test_a_code_that_anybody_made_up_takes_no_proof_back(sqlite_url: str) -> None:
    """Kommo's bare 401 may mean the secret or the code: what was proven stands until Kommo names the secret."""
    async with open_world(sqlite_url) as product:
        proven = await integration(product)
        assert proven.proven_at > 0.0
        product.kommo.switches.set("code_error_status", "401")
        product.kommo.switches.set("code_error_hint", "absent")
        await return_from_kommo(product, code="made-up", **HOOK)
        assert await integration(product) == proven


async def test_an_administrator_replaces_the_secret_of_the_accounts_own_integration(database_url: str) -> None:
    async with new_server(database_url) as product, signed_in(product) as operator:
        await given(operator, product, product.integration.client_secret)
        await product.http.get(
            f"{product.url}/oauth/kommo/callback",
            params={
                "code": product.kommo.issue_code(product.integration.client_id),
                "client_id": product.integration.client_id,
                "referer": product.kommo.host_of(product.account),
                "state": await begun(product),
            },
        )
        await product.quiet()
        way_in = await product.http.post(f"{product.url}/widget/setup", headers=product.token())
        async with httpx.AsyncClient(base_url=product.url, follow_redirects=True, headers=OURS, timeout=30.0) as http:
            await http.post(way_in.json()["url"])
            assert "key works since" in (await http.get("/admin/setup/kommo")).text
            form = f"/admin/accounts/{product.account.id}/keys"
            empty = await http.post(form, data={"client_secret": " "})
            assert (empty.status_code, 'aria-invalid="true"' in empty.text) == (422, True)
            saved = await http.post(form, data={"client_secret": WRONG})
            assert "The secret key is saved." in saved.text
            assert "not tried yet" in saved.text
            assert WRONG not in saved.text
            await connect_another(product)
            shared = await http.post(form, data={"client_secret": "another"})
            assert shared.status_code == 403
            assert 'action="/admin/accounts/' not in (await http.get("/admin/setup/kommo")).text
