"""A thousand forged, replayed and foreign requests of a step: nothing is stored, and no token of ours goes anywhere."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from backend.kommo_api.automation.bot_token import continue_path
from backend.storage.models import BotStep
from sandbox.clock import MovableClock
from tests.world import World, open_world

SEED = 1907
CASES = [150, pytest.param(1_000, marks=pytest.mark.full)]
BEFORE_SLOW = 150
"""Refusals in a minute that are not slowed down yet."""
BASE = "https://acme.kommo.com"
GOOD = f"{BASE}/api/v4/salesbot/321/continue/123"
ELSEWHERE = [
    "https://acme.kommo.com.evil.example/api/v4/salesbot/1/continue/1",
    "https://evil.example/api/v4/salesbot/1/continue/1",
    "https://acme.kommo.com@evil.example/api/v4/salesbot/1/continue/1",
    "https://acme.kommo.com:8443/api/v4/salesbot/1/continue/1",
    "http://acme.kommo.com/api/v4/salesbot/1/continue/1",
    "//acme.kommo.com/api/v4/salesbot/1/continue/1",
    "https://acme.kommo.com\\@evil.example/api/v4/salesbot/1/continue/1",
    "https://acme.kommo.com/api/v4/salesbot/1/continue/1?to=https://evil.example",
    "https://acme.kommo.com/api/v4/salesbot/1/continue/1#x",
    "https://acme.kommo.com/api/v4/salesbot/1/continue/../../../leads",
    "https://acme.kommo.com/api/v4/salesbot/1/continue/%2e%2e",
    "https://acme.kommo.com/api/v4/leads/1",
    "https://acme.kommo.com/evil/api/v4/salesbot/1/continue/1",
    "https://аcme.kommo.com/api/v4/salesbot/1/continue/1",
    "https://acme.kommo.com\t/api/v4/salesbot/1/continue/1",
    "",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_bot_goes_on_only_at_the_accounts_own_address(address: str) -> None:
    assert continue_path(address, BASE) is None


@pytest.mark.parametrize("address", [GOOD, GOOD.replace("salesbot", "marketingbot"), GOOD.replace("123", "a1-B_2")])
def test_the_accounts_own_address_is_taken(address: str) -> None:
    assert continue_path(address, BASE) == address.removeprefix(BASE)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("steps")
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", clock=MovableClock(), worker=False) as opened:
        yield opened


def _claims(shop: World) -> dict[str, Any]:
    now = int(shop.clock())
    return {
        "iat": now, "nbf": now, "exp": now + 300, "account_id": shop.account.id, "entity_type": "2", "entity_id": 5,
        "client_uuid": shop.integration.client_id, "subdomain": "acme", "bot_type": "salesbot",
    }  # fmt: skip


async def _status(shop: World, token: Any, address: Any, step: str = "is_it_paid") -> int:
    body = {"token": token, "data": {"from": "widget"}, "return_url": address}
    return (await shop.http.post(f"{shop.url}/kommo/steps/{step}", json=body)).status_code


@pytest.mark.parametrize("cases", CASES)
async def test_a_thousand_forged_requests_leave_nothing(shop: World, cases: int) -> None:
    dice, secret = random.Random(SEED), shop.integration.client_secret
    good = f"{shop.kommo.base_url}/api/v4/salesbot/1/continue/"
    before = len(shop.kommo.requests)
    changes: list[dict[str, Any]] = [
        {"exp": 1}, {"nbf": 9_999_999_999}, {"account_id": 1}, {"account_id": "x"}, {"entity_type": "12"},
        {"entity_id": 0}, {"entity_id": "5 or 1"}, {"client_uuid": "00000000-0000-0000-0000-000000000000"},
        {"client_uuid": None}, {"exp": None}, {"entity_id": 2**70}, {"account_id": -1},
    ]  # fmt: skip
    for number in range(cases):
        if number % BEFORE_SLOW == 0:
            shop.clock.advance(61)
        claims, key, algorithm, address = _claims(shop), secret, "HS512", f"{good}{number}"
        kind = number % 5
        if kind == 0:
            claims |= dice.choice(changes)
        elif kind == 1:
            key = dice.choice(["", secret[:-1], secret + "x", "k" * 64]) or "empty"
        elif kind == 2:
            algorithm = dice.choice(["HS384", "none"])
        elif kind == 3:
            elsewhere = good.replace("127.0.0.1", "127.0.0.1.evil.example")
            address = dice.choice([*ELSEWHERE, good, f"{good}../1", f"{elsewhere}1"])
        token = jwt.encode(claims, "" if algorithm == "none" else key, algorithm=algorithm)
        if kind == 4:
            place = dice.randrange(len(token))
            token = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            if place >= len(token) - 2:  # the last letters of a signature hold bits that nobody reads
                token = token[:-4]
        assert await _status(shop, token, address) == 403, (kind, claims, algorithm, address)
    assert (await shop.rows(BotStep), len(shop.kommo.requests)) == ([], before)


@pytest.mark.parametrize("body", [b"", b"{", b"token=x", b"token[a]=1&return_url=x", b"\xff", b'{"token": 1}'])
async def test_what_is_no_request_of_a_step_is_refused(shop: World, body: bytes) -> None:
    answer = await shop.http.post(f"{shop.url}/kommo/steps/payment_link", content=body)
    assert answer.status_code == 403


async def test_a_replayed_request_is_one_step(shop: World) -> None:
    token = jwt.encode(_claims(shop), shop.integration.client_secret, algorithm="HS512")
    address = f"{shop.kommo.base_url}/api/v4/salesbot/1/continue/77"
    before = len(await shop.rows(BotStep))
    assert [await _status(shop, token, address) for _ in range(20)] == [200] * 20
    assert len(await shop.rows(BotStep)) == before + 1
