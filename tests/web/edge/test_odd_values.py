"""Odd values are the caller's fault at every route and on both databases: each is refused, none is a 5xx.

Daily each route meets what a database may refuse on PostgreSQL, which refuses more, and a third of all values on each
database, another third there than here; every value meets a third of the routes. The full run asks everything of both.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product as every
from typing import Any

import pytest

from backend.web.app import create_app
from tests.web.edge.routes import Door, doors, everybody, hook_secret, known_values
from tests.world import ADMIN_TOKEN, World, open_world
from tests.world.processes import ANY_REFUSALS, served_web

IN_PATHS = ("%00", "a%00b", str(2**63), str(2**63 - 1), "9" * 5000, "0", "-1", "%ff", "%F0%9F%98%80", "%5B", "x" * 3000)
IN_QUERIES = ("\x00", str(2**63), "9" * 30, "http://[::1", "\ud83d".encode("utf-8", "surrogatepass").decode("latin-1"))
OF_DATABASES: Sequence[Any] = ("%00", "\x00", str(2**63), 2**63, 10**40)
"""No text of PostgreSQL's holds the first, no number of its columns is as large as the others."""
NAMES = (
    "account deal done lang asked client_id code referer state from_widget error client_uuid account_id signature"
).split()
IN_BODIES: Sequence[Any] = (
    "\x00", 2**63, -(2**63) - 1, 2**63 - 1, 10**40, 1e300, "http://[::1", "x" * 5000, [], {"a": "\x00"}, None, True,
)  # fmt: skip
KEYS = (
    "request_id lead_id contact_id amount currency description mode replaces kind deal_total refund_id "
    "expected_refunded client_secret redirect_uri label code subdomain api_key webhook_secret account_id payment_id "
    "event_id connection_id token create refunds note_language renewals prefill_email statement shadow bare_reference "
    "paid first 1"
).split()


@pytest.fixture
async def product(database_url: str) -> AsyncIterator[World]:
    """It refuses thousands at once, and none of them slowly."""
    async with (
        open_world(database_url, worker=False) as world,
        served_web(world.resources, limits=ANY_REFUSALS) as http,
    ):
        yield replace(world, url=str(http.base_url), http=http)


def _all(product: World) -> list[Door]:
    return list(doors(create_app(product.resources, admin_token=ADMIN_TOKEN)))


@dataclass
class Asker:
    """Asks as somebody who may do everything, and keeps what was answered by a 5xx."""

    product: World
    headers: dict[str, str]
    values: dict[str, str]
    one_in: int
    wrong: list[object] = field(default_factory=list)

    def chosen(self, found: Sequence[Door], values: Sequence[Any]) -> Iterator[tuple[Door, Any]]:
        """Each route with each value, or the sample of them."""
        is_postgres = not self.product.resources.database.is_sqlite
        for (row, door), (column, odd) in every(enumerate(found), enumerate(values)):
            if (row + column + is_postgres) % self.one_in == 0 or (is_postgres and odd in OF_DATABASES):
                yield door, odd

    async def ask(self, door: Door, odd: object, path: str = "", **given: Any) -> None:
        path = path or door.filled(self.values)
        answer = await self.product.http.request(door.method, self.product.url + path, headers=self.headers, **given)
        if answer.status_code >= 500:
            self.wrong.append((door, str(odd)[:20], answer.status_code, answer.text[:200]))


@pytest.mark.parametrize("one_in", [pytest.param(3, id="sample"), pytest.param(1, id="all", marks=pytest.mark.full)])
async def test_no_odd_value_is_a_fault_of_ours(product: World, one_in: int) -> None:
    values = await known_values(product, await hook_secret(product))
    asker, found = Asker(product, await everybody(product), values, one_in), [*_all(product)]
    await _in_paths(asker, [door for door in found if "{" in door.path])
    await _in_queries(asker, [door for door in found if door.method == "GET"])
    await _in_bodies(asker, [door for door in found if door.method in ("POST", "PUT")])
    assert asker.wrong == []


async def _in_paths(asker: Asker, found: Sequence[Door]) -> None:
    for door, odd in asker.chosen(found, IN_PATHS):
        for name in asker.values:
            if f"{{{name}}}" in door.path:
                await asker.ask(door, odd, door.filled(asker.values | {name: odd}))


async def _in_queries(asker: Asker, found: Sequence[Door]) -> None:
    for door, odd in asker.chosen(found, IN_QUERIES):
        await asker.ask(door, odd, params=dict.fromkeys(NAMES, odd))


async def _in_bodies(asker: Asker, found: Sequence[Door]) -> None:
    for door, odd in asker.chosen(found, IN_BODIES):
        if door.path.endswith(("/logout", "/login")):  # a session is ended by the one, tries are counted by the other
            continue
        if door.path.startswith("/admin/") and not door.path.startswith("/admin/api/"):
            await asker.ask(door, odd, data=dict.fromkeys(KEYS, str(odd)))
        else:
            await asker.ask(door, odd, json=dict.fromkeys(KEYS, odd))


async def test_what_no_parser_takes_is_refused(product: World) -> None:
    for address in ("http://[::1", "https://[", "https://x.example/\x00", "ftp://x", "//x"):
        body = {"client_secret": "secret", "redirect_uri": address}
        url = f"{product.url}/admin/api/integrations/some-id"
        assert (await product.http.put(url, json=body, headers=product.admin)).status_code == 422, address
    deep = "W1tb" * 8000  # base64 of ``[[[``
    for token in (f"{deep}.{deep}.x", f"eyJhbGciOiJIUzI1NiJ9.{deep}.x"):
        answer = await product.http.post(f"{product.url}/widget/setup", headers={"X-Auth-Token": token})
        assert answer.status_code in (400, 401, 431)
