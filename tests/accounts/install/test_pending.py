"""Codes that wait for their integration's secret key: whoever brings them, the one that counts connects the account."""

import pytest

from backend.accounts.install import room
from backend.accounts.install.pending import AGAIN_SECONDS, SETTINGS, STATE, OpenInstall, keep, keep_code
from backend.accounts.install.room import MOST_OF_ONE
from backend.accounts.install.use_codes import connect_waiting
from backend.accounts.integrations import Keys, put_integration
from backend.storage.models import Account, Integration, PendingInstall
from sandbox.clock import MovableClock
from sandbox.kommo.accounts.grants import Integration as Made
from tests.accounts.connecting import TOKEN, asked, put, return_from_kommo, shown
from tests.world import World

HOOK: dict[str, str | None] = {"state": None, "from_widget": "1"}


def made(product: World, **how: str) -> Made:
    return product.kommo.add_integration(product.account, how.get("redirect_uri", product.integration.redirect_uri))


async def brought(product: World, client_id: str, code: str = "") -> int:
    """By Kommo's hook, or by anybody."""
    given = code or product.kommo.issue_code(client_id)
    return (await return_from_kommo(product, client_id=client_id, code=given, **HOOK)).status_code


async def given_secret(product: World, one: Made, **more: str) -> tuple[int, dict[str, object]]:
    answer = await put(product, f"integrations/{one.client_id}", {"client_secret": one.client_secret} | more)
    return answer.status_code, answer.json()


async def kept_keys(product: World, one: Made, secret: str) -> None:
    """As the environment does at a start: kept without asking Kommo."""
    async with product.resources.database.write() as session:
        await put_integration(product.resources, session, Keys(one.client_id, secret, one.redirect_uri))


@pytest.mark.parametrize("status", ["400", "401"])
@pytest.mark.parametrize("hint", ["named", "absent"])
async def test_a_few_codes_of_strangers_take_nobodys_place(
    unconnected: World, clock: MovableClock, status: str, hint: str
) -> None:
    unconnected.kommo.switches.set("code_error_status", status)
    unconnected.kommo.switches.set("code_error_hint", hint)
    one = made(unconnected)
    await brought(unconnected, one.client_id, "before it")
    clock.advance(1)
    await brought(unconnected, one.client_id)
    for number in range(MOST_OF_ONE - 1):
        clock.advance(1)
        assert await brought(unconnected, one.client_id, f"made up {number}") == 200
    assert len(await unconnected.rows(PendingInstall)) <= MOST_OF_ONE
    _, answer = await given_secret(unconnected, one)
    assert (answer["account_id"], answer.get("problem")) == (unconnected.account.id, None)
    assert await unconnected.rows(PendingInstall) == []


async def test_no_number_of_strangers_codes_displaces_one_that_came_with_our_state(
    unconnected: World, clock: MovableClock
) -> None:
    resources, one = unconnected.resources, made(unconnected)
    ours = unconnected.kommo.issue_code(one.client_id)
    await keep_code(resources, one.client_id, unconnected.kommo.base_url, ours, origin=STATE)
    for number in range(3 * MOST_OF_ONE):
        clock.advance(1)
        await brought(unconnected, one.client_id, f"made up {number}")
    rows = await unconnected.rows(PendingInstall)
    assert sorted(row.origin for row in rows) == ["hook"] * MOST_OF_ONE + ["state"]
    assert (await given_secret(unconnected, one))[1]["account_id"] == unconnected.account.id


async def test_of_strangers_codes_in_all_the_oldest_gives_way(
    unconnected: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody can shut the door for twenty minutes."""
    monkeypatch.setattr(room, "MOST_CODES", 5)
    for number in range(8):
        clock.advance(1)
        assert await brought(unconnected, f"unknown-{number}", "made up") == 200
    kept = {row.client_id for row in await unconnected.rows(PendingInstall)}
    assert kept == {f"unknown-{number}" for number in range(3, 8)}


async def test_an_admin_who_comes_after_a_strangers_many_codes_is_connected(
    unconnected: World, clock: MovableClock
) -> None:
    one = made(unconnected)
    for number in range(2 * MOST_OF_ONE):
        await brought(unconnected, one.client_id, f"made up {number}")
        clock.advance(1)
    await brought(unconnected, one.client_id)
    assert (await given_secret(unconnected, one))[1]["account_id"] == unconnected.account.id


async def test_the_same_code_twice_waits_once(unconnected: World) -> None:
    one = made(unconnected)
    code = unconnected.kommo.issue_code(one.client_id)
    assert [await brought(unconnected, one.client_id, code) for _ in range(2)] == [200, 200]
    assert len(await unconnected.rows(PendingInstall)) == 1


async def test_a_code_takes_no_long_lived_tokens_place(unconnected: World) -> None:
    """Anybody may name an integration; a token's row is named by its account."""
    clock = unconnected.resources.clock
    token = unconnected.kommo.long_lived_token(unconnected.integration.client_id)
    base_url = unconnected.kommo.base_url
    await keep(unconnected.resources, OpenInstall("/acme", "token", "", token, base_url, clock(), SETTINGS))
    assert await brought(unconnected, "/acme", "made up") == 200
    await connect_waiting(unconnected.resources)
    assert [row.state for row in await unconnected.rows(Account)] == ["connected"]


async def test_another_redirect_uri_costs_no_code(unconnected: World) -> None:
    """Kommo looks at the address before it takes the code: the right one connects."""
    one = made(unconnected, redirect_uri="https://elsewhere.example.com/callback")
    await brought(unconnected, one.client_id)
    status, answer = await given_secret(unconnected, one)
    assert (status, answer["error"]["field"]) == (422, "redirect_uri")  # type: ignore[index]
    assert one.client_id not in [row.client_id for row in await unconnected.rows(Integration)]
    _, right = await given_secret(unconnected, one, redirect_uri=one.redirect_uri)
    assert right["account_id"] == unconnected.account.id


async def test_refused_keys_are_tried_rarely_and_other_keys_at_once(unconnected: World, clock: MovableClock) -> None:
    one = made(unconnected)
    await brought(unconnected, one.client_id)
    await kept_keys(unconnected, one, "wrong")
    for _ in range(20):
        await connect_waiting(unconnected.resources)
        clock.advance(10)
    assert len(asked(unconnected, TOKEN)) == 1
    clock.advance(AGAIN_SECONDS)
    await connect_waiting(unconnected.resources)
    assert len(asked(unconnected, TOKEN)) == 2
    await kept_keys(unconnected, one, one.client_secret)
    await connect_waiting(unconnected.resources)
    assert (await shown(unconnected))["state"] == "connected"
