"""A rule and its key: only administrators make and see rules, and only the key's digest is kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.storage.models import PaymentRule, StageEntry
from sandbox.clock import MovableClock
from tests.automation.rules.hooks import hook, told
from tests.world import World, open_world

ROUTES = [
    ("POST", "/widget/rules", {"settings": {}}),
    ("POST", "/widget/rules/change", {"key": "a" * 32, "settings": {}}),
    ("POST", "/widget/rules/look", {"key": "a" * 32}),
    ("GET", "/widget/rules/choices", None),
    ("GET", "/widget/rules/waits", None),
]


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("keys")
    async with open_world(f"sqlite+aiosqlite:///{folder}/x.db", clock=MovableClock(), worker=False) as opened:
        yield opened


async def _made(shop: World, key: str = "", **settings: object) -> str:
    answer = await shop.rep.post("/widget/rules", {"key": key, "settings": settings})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["key"]
    return made


async def _seen(shop: World, key: str) -> dict[str, object]:
    settings: dict[str, object] = (await shop.rep.post("/widget/rules/look", {"key": key})).json()["settings"]
    return settings


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_who_is_no_administrator_may_neither_make_nor_see_a_rule(
    shop: World, method: str, path: str, body: object
) -> None:
    rep = shop.account.add_salesperson("Rep", f"rep{path.count('/')}{len(path)}@shop.example")
    answer = await shop.http.request(method, shop.url + path, json=body, headers=shop.token(rep.id))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    stranger = await shop.http.request(method, shop.url + path, json=body)
    assert stranger.status_code == 401


async def test_who_was_an_administrator_a_minute_ago_makes_and_changes_no_rule(shop: World) -> None:
    """A process remembers for five minutes what Kommo told; a rule goes on asking clients for years."""
    former = shop.account.add_salesperson("Former", "former@shop.example")
    former.is_admin = True
    made = await shop.rep.post("/widget/rules", {"settings": {}}, user_id=former.id)
    former.is_admin = False
    key = made.json()["key"]
    for path, body in (("/widget/rules", {"settings": {}}), ("/widget/rules/change", {"key": key, "settings": {}})):
        answer = await shop.rep.post(path, body, user_id=former.id)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")


async def test_the_key_itself_is_not_kept(shop: World) -> None:
    key = await _made(shop)
    rows: list[PaymentRule] = await shop.rows(PaymentRule)
    assert key not in repr(rows)


async def test_a_form_that_is_cancelled_leaves_the_rule_in_force_as_it_was(shop: World) -> None:
    saved = await _made(shop, amount="price")
    await told(shop, hook(saved, 1))  # a deal has entered: the rule is in use
    changed = await shop.rep.post("/widget/rules/change", {"key": saved, "settings": {"amount": "open"}})
    newer = changed.json()["key"]
    assert newer != saved
    assert ((await _seen(shop, saved))["amount"], (await _seen(shop, newer))["amount"]) == ("price", "open")
    roots = {row.root_id for row in await shop.rows(PaymentRule) if row.settings["amount"] in ("price", "open")}
    assert len([one for one in await shop.rows(StageEntry) if one.root_id in roots]) == 1


async def test_the_open_form_changes_its_own_rule_by_the_same_key(shop: World) -> None:
    key = await _made(shop)
    answer = await shop.rep.post("/widget/rules/change", {"key": key, "settings": {"hours": 5}})
    assert (answer.status_code, answer.json()["key"], (await _seen(shop, key))["hours"]) == (200, key, 5)


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"amount": "all"}, "settings"), ({"percent": 101}, "settings"), ({"hours": 0}, "settings"),
     ({"channels": ["mail"]}, "settings"), ({"description": "x" * 251}, "settings")],
)  # fmt: skip
async def test_settings_of_another_kind_are_refused_in_words(
    shop: World, settings: dict[str, object], field: str
) -> None:
    answer = await shop.rep.post("/widget/rules", {"settings": settings})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_the_form_offers_the_deals_number_fields(shop: World) -> None:
    shop.account.add_field("Prepayment", "numeric")
    shop.account.add_field("Colour", "text")
    answer = await shop.http.get(f"{shop.url}/widget/rules/choices", headers=shop.token())
    names = [one["name"] for one in answer.json()["fields"]]
    assert ("Prepayment" in names, "Colour" in names) == (True, False)
