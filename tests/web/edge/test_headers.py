"""What every answer says to browsers and caches, whatever route gave it; and that a slash behind it changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.web.app import create_app
from tests.web.edge.routes import Door, doors, everybody, hook_secret, known_values
from tests.world import ADMIN_TOKEN, World, open_world

LARGE = b"x" * 70_000
NO_ROUTES = [Door("GET", "/nowhere"), Door("GET", "/p/"), Door("TRACE", "/admin"), Door("PUT", "/stripe/webhook")]


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/headers.db", worker=False) as world:
        yield world


def _all(product: World) -> list[Door]:
    return [*doors(create_app(product.resources, admin_token=ADMIN_TOKEN)), *NO_ROUTES]


def _lacks(answer: httpx.Response) -> list[str]:
    said = {
        "nosniff": answer.headers.get("x-content-type-options") == "nosniff",
        "no-store": answer.headers.get("cache-control") == "no-store",
        "frame-ancestors": "frame-ancestors 'none'" in answer.headers.get("content-security-policy", ""),
        "referrer": answer.headers.get("referrer-policy") in ("no-referrer", "same-origin"),
    }
    return [name for name, holds in said.items() if not holds]


async def test_every_answer_of_every_route_says_what_browsers_must_know(product: World) -> None:
    """To strangers and to those who may do everything; no HSTS where the address is plain http."""
    values = await known_values(product)
    for headers, body in (({}, b""), (await everybody(product), b""), ({"Origin": "https://evil.example"}, LARGE)):
        for door in _all(product):
            url = product.url + door.filled(values)
            answer = await product.http.request(door.method, url, headers=headers, content=body)
            assert _lacks(answer) == [], (door, answer.status_code)
            assert "strict-transport-security" not in answer.headers


async def test_browsers_are_told_to_use_https_where_the_address_is(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/https.db"
    async with open_world(
        url, worker=False, connected=False, more={"public_url": "https://pay.example.com"}
    ) as product:
        for path in ("/", "/healthz", "/stripe/webhook", "/nowhere", "/admin"):
            answer = await product.http.get(product.url + path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000", path


async def test_a_slash_behind_an_address_changes_no_answer(product: World) -> None:
    """People type it into Kommo's forms and Stripe's. The hook's own address is among them."""
    values = await known_values(product, await hook_secret(product))
    for door in _all(product):
        path = door.filled(values)
        if path == "/" or path.startswith("/admin/log"):  # one ends a session, one counts tries
            continue
        headers = await everybody(product)
        plain, slashed = [await _asked(product, door.method, one, headers) for one in (path, f"{path}/")]
        assert (plain.status_code, plain.headers.get("location", "").partition("?")[0]) == (
            slashed.status_code,
            slashed.headers.get("location", "").partition("?")[0],  # a state is made for each
        ), door


async def _asked(product: World, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """Again where the user has called too often, which the number of routes alone can do."""
    while True:
        answer = await product.http.request(method, product.url + path, headers=headers)
        if answer.status_code != 429:
            return answer
        await asyncio.sleep(0.2)


async def test_a_hook_and_a_webhook_with_a_slash_are_taken(product: World) -> None:
    hook = f"{product.url}/kommo/hooks/{await hook_secret(product)}/"
    assert (await product.http.post(hook, content=b"{}")).status_code == 200
    values = await known_values(product)
    answer = await product.http.post(f"{product.url}/stripe/webhook/{values['connection']}/", content=b"{}")
    assert answer.json()["error"]["code"] == "bad_webhook"


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json"])
async def test_what_tells_of_all_tenants_needs_the_operators_token(product: World, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, product.token()):
        assert (await product.http.get(product.url + path, headers=headers)).status_code == 401
    assert (await product.http.get(product.url + path, headers=product.admin)).status_code == 200


async def test_strangers_read_no_number_of_an_account(product: World) -> None:
    values = await known_values(product)
    for door in _all(product):
        if door.method in ("GET", "HEAD") and "{account_id}" not in door.path:
            answer = await product.http.request(door.method, product.url + door.filled(values))
            assert str(product.account.id) not in answer.text + str(answer.headers), door
