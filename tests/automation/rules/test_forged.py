"""A thousand forged, replayed and foreign hooks: nothing is stored, asked or sent, and each is answered in words."""

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from backend.accounts.kommo_hooks import give_addresses
from backend.storage.models import PaymentRequest, StageEntry
from sandbox.clock import MovableClock
from tests.accounts.connecting import shown
from tests.automation.rules.hooks import as_form, hook, told
from tests.automation.rules.stage import new_key
from tests.world import World, open_world

SEED = 1907
CASES = [150, pytest.param(1_000, marks=pytest.mark.full)]
BEFORE_SLOW = 150
"""Refusals in a minute that are not slowed down yet."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
Forgery = Callable[[random.Random, str, int], dict[str, Any]]


def _wrong_key(dice: random.Random, key: str, lead_id: int) -> dict[str, Any]:
    place = dice.randrange(len(key))
    other = dice.choice([one for one in ALPHABET if one != key[place]])
    return hook(key[:place] + other + key[place + 1 :], lead_id)


def _no_key(dice: random.Random, _key: str, lead_id: int) -> dict[str, Any]:
    return hook(dice.choice([None, "", 0, [], {}, True, "x" * 32, "'; --", "a" * 31, "\0" * 32]), lead_id)


def _foreign(dice: random.Random, key: str, lead_id: int) -> dict[str, Any]:
    return hook(key, lead_id, account=dice.choice([1, "1", "x", -5, 2**63, {"id": 1}, True, "99999999"]))


def _no_deal(dice: random.Random, key: str, _lead: int) -> dict[str, Any]:
    return hook(key, dice.choice([None, "", "x", -1, 0, 1.5, [], {}, 2**63, "1e3", " 5", "５"]))


def _another_thing(dice: random.Random, key: str, lead_id: int) -> dict[str, Any]:
    said = hook(key, lead_id)
    said["event"]["data"]["element_type"] = dice.choice([1, "1", 12, "company", None])
    return said


FORGERIES: tuple[Forgery, ...] = (_wrong_key, _no_key, _foreign, _no_deal, _another_thing)
HOSTILE = [
    b"event[data][id]=%d&event[data][id]=7",
    b"event[data]=1&event[data][id]=%d",
    b"event[data][id]=%d&event[data]=1",
    b"event[__proto__][x]=1&event[data][id]=%d",
    b"event[data][id=%d",
    b"event[][id]=%d",
    b"event" + b"[a]" * 30 + b"=%d",
    b"\xff\xfe[data][id]=%d",
]


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("forged")
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", clock=MovableClock(), worker=False) as opened:
        yield opened


@pytest.mark.parametrize("cases", CASES)
async def test_a_thousand_forged_hooks_leave_nothing(shop: World, cases: int) -> None:
    dice, key, lead_id = random.Random(SEED), await new_key(shop), shop.lead()
    before = len(shop.kommo.requests)
    for number in range(cases):
        if number % BEFORE_SLOW == 0:
            shop.clock.advance(61)
        said = FORGERIES[number % len(FORGERIES)](dice, key, lead_id)
        kind = dice.choice(["", "application/json", "application/x-www-form-urlencoded", "text/plain"])
        assert await told(shop, said, form=dice.random() < 0.5, kind=kind) == 404, said
    assert await shop.rows(StageEntry) == await shop.rows(PaymentRequest) == []
    assert len(shop.kommo.requests) == before


@pytest.mark.parametrize("body", HOSTILE)
async def test_brackets_that_no_php_writes_are_refused(shop: World, body: bytes) -> None:
    known = as_form({"action": hook(await new_key(shop), 1)["action"]})
    sent = known + b"&" + body % shop.lead()
    answer = await shop.http.post(f"{shop.url}/kommo/hooks/rules", content=sent)
    assert (answer.status_code, await shop.rows(StageEntry)) == (404, [])


@pytest.mark.parametrize("kind", ["", "application/json", "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("form", [False, True])
async def test_a_true_hook_is_stored_once_whatever_its_content_type_says(shop: World, kind: str, form: bool) -> None:
    said = hook(await new_key(shop), shop.lead(), account=shop.account.id, at="1700000000")
    before = len(await shop.rows(StageEntry))
    assert [await told(shop, said, form=form, kind=kind) for _ in range(3)] == [200] * 3
    assert len(await shop.rows(StageEntry)) == before + 1


async def test_a_body_that_is_too_large_is_refused(shop: World) -> None:
    answer = await shop.http.post(f"{shop.url}/kommo/hooks/rules", content=b"x" * 70_000)
    assert answer.status_code == 413


async def test_at_the_accounts_own_address_a_hook_without_a_valid_key_is_a_hint(shop: World) -> None:
    await give_addresses(shop.resources)
    secret = (await shown(shop))["hook_url"].rpartition("/")[2]
    before = len(await shop.rows(StageEntry))
    assert await told(shop, hook("a" * 32, shop.lead()), path=secret) == 200
    assert len(await shop.rows(StageEntry)) == before
    assert await told(shop, hook(await new_key(shop), shop.lead()), path=secret) == 200
    assert len(await shop.rows(StageEntry)) == before + 1
