"""Guesses at the ADMIN_TOKEN from many addresses: 300 in all, and the operator is never locked out."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backend.web.app import create_app
from backend.web.http.throttle import IN_ALL, LIMIT
from tests.world import ADMIN, ADMIN_TOKEN, open_world

Visit = Callable[[int], httpx.AsyncClient]


async def guess(visit: Visit, number: int, door: str) -> int:
    """A wrong token from the ``number``-th address."""
    async with visit(number) as visitor:
        return await enter(visitor, door, "a guess of more than 20 letters")


async def enter(visitor: httpx.AsyncClient, door: str, token: str) -> int:
    if door == "login":
        ours = {"Sec-Fetch-Site": "same-origin"}
        return (await visitor.post("/admin/login", data={"token": token}, headers=ours)).status_code
    return (await visitor.get("/admin/api/accounts", headers={"Authorization": f"Bearer {token}"})).status_code


def still() -> float:
    """Tries are counted by the minute, and a loaded machine may take longer for them."""
    return 1_800_000_000.0


@pytest.mark.parametrize("door", ["login", "bearer"])
async def test_guesses_from_many_addresses_are_limited_in_all_and_the_right_token_passes(
    tmp_path: Path, door: str
) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", worker=False, connected=False, clock=still) as world:
        app = create_app(world.resources, admin_token=ADMIN_TOKEN)

        def visit(number: int) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, client=(f"203.0.113.{number}", 1))
            return httpx.AsyncClient(transport=transport, base_url=world.url)

        guessed = [await guess(visit, number % (IN_ALL // LIMIT), door) for number in range(IN_ALL)]
        assert set(guessed) == {401}
        assert await guess(visit, 100, "login") == 429
        assert await guess(visit, 101, "bearer") == 429
        async with visit(100) as operator:
            assert await enter(operator, "login", ADMIN_TOKEN) == 303
            assert (await operator.get("/admin/api/accounts", headers=ADMIN)).status_code == 200


@pytest.mark.parametrize("path", ["/p/aaaaaaaaaaaaaaaa", "/p/aaaaaaaaaaaaaaaa/receipt/pi_1", "/d/aaaaaaaaaaaaaaaa"])
async def test_addresses_of_one_ipv6_customer_count_as_one_at_the_doors_of_clients(tmp_path: Path, path: str) -> None:
    """A customer has a whole network, and could else come from another address each time."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", worker=False, connected=False, clock=still) as world:
        app, statuses = create_app(world.resources, admin_token=ADMIN_TOKEN), []
        for number in range(1, LIMIT + 2):
            transport = httpx.ASGITransport(app, client=(f"2001:db8:0:7::{number:x}", 1))
            async with httpx.AsyncClient(transport=transport, base_url=world.url) as visitor:
                statuses.append((await visitor.get(path)).status_code)
    assert statuses == [404] * LIMIT + [429]
