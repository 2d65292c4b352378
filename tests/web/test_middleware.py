"""Around every route: who may call from a browser, and what is answered when nobody expected it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.web.middleware import may_call
from backend.widget_archive import API, API_HEADER
from tests.world import World, open_world

KOMMO = "https://{subdomain}.kommo.com"
ASK = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-auth-token"}


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/around.db", connected=False) as running_product:
        yield running_product


@pytest.mark.parametrize(
    ("origin", "base", "allowed"),
    [
        ("https://acme.kommo.com", KOMMO, True),
        ("http://acme.kommo.com", KOMMO, False),
        ("https://kommo.com.evil.example", KOMMO, False),
        ("https://evilkommo.com", KOMMO, False),
        ("https://acme.kommo.com:444", KOMMO, False),
        ("https://user@acme.kommo.com", KOMMO, False),
        ("null", KOMMO, False),
        ("https://[", KOMMO, False),
        ("https://[acme].kommo.com", KOMMO, False),
        ("", KOMMO, False),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001", True),
        ("http://127.0.0.1:8002", "http://127.0.0.1:8001", False),
        ("https://acme.kommo.com", "http://127.0.0.1:8001", True),
    ],
)
def test_which_pages_may_call(origin: str, base: str, allowed: bool) -> None:
    assert may_call(origin, base) is allowed


async def _preflight(product: World, origin: str, path: str = "/widget/requests") -> httpx.Response:
    return await product.http.options(product.url + path, headers=ASK | {"Origin": origin})


async def test_kommos_page_may_send_the_token(product: World) -> None:
    answer = await _preflight(product, product.kommo.base_url)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == product.kommo.base_url
    assert "X-Auth-Token" in answer.headers["access-control-allow-headers"]


async def test_a_foreign_page_may_not(product: World) -> None:
    answer = await _preflight(product, "https://evil.example")
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)


async def test_an_origin_that_is_no_address_is_a_foreign_one(product: World) -> None:
    answer = await product.http.get(f"{product.url}/widget/deals/1", headers={"Origin": "https://["})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (401, False)


async def test_only_the_widgets_routes_are_open_to_other_pages(product: World) -> None:
    answer = await _preflight(product, product.kommo.base_url, "/admin/api/accounts")
    assert "access-control-allow-origin" not in answer.headers


async def test_errors_and_how_new_we_are_can_be_read_by_kommos_page(product: World) -> None:
    answer = await product.http.post(f"{product.url}/widget/requests", headers={"Origin": product.kommo.base_url})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == product.kommo.base_url
    assert answer.headers["vary"] == "Origin"
    assert API_HEADER in answer.headers["access-control-expose-headers"]
    assert answer.headers[API_HEADER] == str(API)


async def test_a_failing_database_is_told_in_words(product: World) -> None:
    async with product.resources.database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE integration")
    answer = await product.http.get(
        f"{product.url}/widget/deals/1", headers=product.token() | {"Origin": product.kommo.base_url}
    )
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unavailable"
    assert "access-control-allow-origin" in answer.headers


async def test_an_unknown_address_is_404_in_our_shape(product: World) -> None:
    answer = await product.http.get(f"{product.url}/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
