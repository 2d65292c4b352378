"""Whose address counts: what a caller makes up is never believed, what a trusted proxy adds is.

The product is the real ``serve`` in a process of its own, since the server itself reads the header.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from backend.web.http.throttle import LIMIT
from sandbox.product import running_product
from sandbox.stage import set_stage
from tests.world import ADMIN_TOKEN

ATTACKER, VICTIM = "203.0.113.66", "198.51.100.7"


@asynccontextmanager
async def door(trusted: str) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        set_stage(more={"ADMIN_TOKEN": ADMIN_TOKEN, "TRUSTED_PROXIES": trusted}) as stage,
        running_product(stage.settings, stage.folder),
        httpx.AsyncClient(base_url=stage.backend_url, timeout=60, trust_env=False) as http,
    ):
        yield http


async def guess(http: httpx.AsyncClient, forwarded: str) -> int:
    headers = {"Authorization": "Bearer a guess of more than 20 letters", "X-Forwarded-For": forwarded}
    return (await http.get("/admin/api/accounts", headers=headers)).status_code


@pytest.mark.parametrize("trusted", ["", "192.0.2.1"])
async def test_an_address_that_a_caller_makes_up_is_not_believed(trusted: str) -> None:
    """Else guesses would be counted for another address each time."""
    async with door(trusted) as http:
        guessed = [await guess(http, f"203.0.113.{number}") for number in range(LIMIT + 1)]
    assert guessed == [401] * LIMIT + [429]


async def test_of_a_trusted_proxy_the_last_address_counts_which_the_proxy_added() -> None:
    """What stands before it is what the caller sent."""
    async with door("127.0.0.1") as http:
        guessed = [await guess(http, f"203.0.113.{number}, 127.0.0.1, {ATTACKER}") for number in range(LIMIT + 1)]
        assert guessed == [401] * LIMIT + [429]
        assert await guess(http, f"{ATTACKER}, {VICTIM}") == 401  # another caller is counted by itself
        assert await guess(http, f"{VICTIM}, {ATTACKER}, 127.0.0.1") == 429  # two proxies of ours, one behind the other
