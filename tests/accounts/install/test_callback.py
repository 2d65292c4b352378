"""From a code to a connected account, through lost answers, crashes, and other people's integrations."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from stripe import WebhookSignature

from backend.accounts.install.use_codes import connect_waiting
from backend.storage.models import Account, Integration, PendingInstall
from sandbox.clock import MovableClock
from tests.accounts.connecting import (
    ACCOUNT,
    TOKEN,
    ask_kommo,
    asked,
    installed,
    killed,
    put,
    return_from_kommo,
    shown,
    stored,
)
from tests.command_line import command
from tests.ledger.events import evt, intent
from tests.world import World, open_world

HOOK: dict[str, str | None] = {"state": None, "from_widget": "1"}


async def waiting_code(product: World) -> tuple[str, str]:
    """The hook of an integration that nobody told us of: its id and its secret."""
    made = product.kommo.add_integration(product.account, product.integration.redirect_uri)
    code = product.kommo.issue_code(made.client_id)
    answer = await return_from_kommo(product, client_id=made.client_id, code=code, **HOOK)
    assert (answer.status_code, "secret key is missing" in answer.text) == (200, True)
    assert f"{product.url}/admin/accounts" in answer.text
    return made.client_id, made.client_secret


async def test_a_code_waits_for_its_integrations_secret(unconnected: World) -> None:
    client_id, secret = await waiting_code(unconnected)
    answer = await put(unconnected, f"integrations/{client_id}", {"client_secret": secret, "label": "Shop"})
    assert (answer.status_code, answer.json()) == (
        200,
        {"client_id": client_id, "label": "Shop", "account_id": unconnected.account.id},
    )
    assert (await shown(unconnected))["state"] == "connected"


async def test_a_code_that_waited_too_long_connects_nothing(unconnected: World, clock: MovableClock) -> None:
    client_id, secret = await waiting_code(unconnected)
    clock.advance(20 * 60 + 1)
    answer = await put(unconnected, f"integrations/{client_id}", {"client_secret": secret})
    assert (answer.status_code, answer.json()["account_id"]) == (200, None)
    assert asked(unconnected, TOKEN) == []


async def test_a_code_that_waited_too_long_is_forgotten(unconnected: World, clock: MovableClock) -> None:
    await waiting_code(unconnected)
    clock.advance(20 * 60 + 1)
    await connect_waiting(unconnected.resources)
    assert await unconnected.rows(PendingInstall) == []


async def test_a_waiting_code_can_not_be_read_in_the_database(unconnected: World, sqlite_url: str) -> None:
    await waiting_code(unconnected)
    held = b"".join(file.read_bytes() for file in Path(sqlite_url.partition("///")[2]).parent.glob("product.db*"))
    assert unconnected.kommo.wallet.codes
    assert not [code for code in unconnected.kommo.wallet.codes if code[:40].encode() in held]


async def test_a_wrong_secret_is_refused_and_the_code_goes_on_waiting(unconnected: World) -> None:
    client_id, secret = await waiting_code(unconnected)
    wrong = await put(unconnected, f"integrations/{client_id}", {"client_secret": "wrong"})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "client_secret")
    assert client_id not in [row.client_id for row in await unconnected.rows(Integration)]
    right = await put(unconnected, f"integrations/{client_id}", {"client_secret": secret})
    assert right.json()["account_id"] == unconnected.account.id


async def test_a_code_that_was_used_elsewhere_keeps_the_keys_and_says_so(unconnected: World) -> None:
    client_id, secret = await waiting_code(unconnected)
    unconnected.kommo.wallet.revoke(client_id)
    answer = await put(unconnected, f"integrations/{client_id}", {"client_secret": secret})
    assert (answer.status_code, answer.json()["account_id"]) == (200, None)
    assert "does not accept the code" in answer.json()["problem"]


async def test_keys_that_come_while_kommo_is_away_connect_by_themselves_later(unconnected: World) -> None:
    client_id, secret = await waiting_code(unconnected)
    fault = unconnected.kommo.faults.add("502_html", TOKEN, times=0)
    answer = await put(unconnected, f"integrations/{client_id}", {"client_secret": secret})
    assert answer.json()["account_id"] is None
    unconnected.kommo.faults.waiting.remove(fault)
    await connect_waiting(unconnected.resources)
    assert (await shown(unconnected))["state"] == "connected"


async def test_only_so_many_codes_of_strangers_are_kept(unconnected: World) -> None:
    for number in range(3):
        await return_from_kommo(unconnected, client_id=f"stranger-{number}", code="x" * 5000, **HOOK)
    assert await unconnected.rows(PendingInstall) == []


async def test_a_code_can_be_given_by_hand(unconnected: World) -> None:
    made = await installed(unconnected, unconnected.account)
    assert (await stored(unconnected)).client_id == made.client_id


async def test_a_used_code_given_by_hand_leaves_nothing_behind(unconnected: World) -> None:
    made = unconnected.kommo.add_integration(unconnected.account, unconnected.integration.redirect_uri)
    code = unconnected.kommo.issue_code(made.client_id)
    unconnected.kommo.wallet.codes[code].used = True
    answer = await put(
        unconnected, f"integrations/{made.client_id}", {"client_secret": made.client_secret, "code": code}
    )
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "code")
    assert made.client_id not in [row.client_id for row in await unconnected.rows(Integration)]


async def test_a_code_by_hand_beside_another_redirect_uri_is_refused_at_that_field(unconnected: World) -> None:
    made = unconnected.kommo.add_integration(unconnected.account, "https://elsewhere.example.com/callback")
    given = {"client_secret": made.client_secret, "code": unconnected.kommo.issue_code(made.client_id)}
    answer = await put(unconnected, f"integrations/{made.client_id}", given)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "redirect_uri")
    right = await put(unconnected, f"integrations/{made.client_id}", given | {"redirect_uri": made.redirect_uri})
    assert right.json()["account_id"] == unconnected.account.id


async def test_begin_is_with_the_integration_that_the_environment_names_now(
    unconnected: World, sqlite_url: str
) -> None:
    former = unconnected.integration.client_id
    last = max((unconnected.kommo.add_integration(unconnected.account, unconnected.integration.redirect_uri)
                for _ in range(8)), key=lambda one: one.client_id)  # fmt: skip
    assert last.client_id > former
    named: dict[str, Any] = {"kommo_client_id": last.client_id, "kommo_client_secret": last.client_secret}
    async with unconnected.started_again(sqlite_url, **named) as product:
        begun = await product.http.get(f"{product.url}/oauth/kommo/start", headers=product.admin)
        assert f"client_id={last.client_id}&" in begun.headers["location"]
        sources = {row.client_id: row.source for row in await product.rows(Integration)}
        assert sources == {former: "admin", last.client_id: "environment"}


async def test_the_command_line_connects_a_code_by_hand(unconnected: World, sqlite_url: str, tmp_path: Path) -> None:
    elsewhere = "https://elsewhere.example.com/callback"
    made = unconnected.kommo.add_integration(unconnected.account, elsewhere)
    code = unconnected.kommo.issue_code(made.client_id)
    environment = {
        "PUBLIC_URL": unconnected.url,
        "DATABASE_URL": sqlite_url,
        "SECRET_KEYS": "a sealing key of the tests",
        "ADMIN_TOKEN": "admin-token-of-the-tests",
        "KOMMO_BASE_URL": unconnected.kommo.base_url,
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    words = ["integrations", "add", made.client_id, "--code", "--redirect-uri", elsewhere]
    done = await asyncio.to_thread(command, tmp_path, words, environment, f"{made.client_secret}\n{code}\n")
    assert (done.returncode, done.stdout) == (0, f"{made.client_id}: connected to account {unconnected.account.id}\n")


async def test_an_answer_survives_that_kommo_fails_right_after_it(unconnected: World) -> None:
    unconnected.kommo.faults.add("502_html", ACCOUNT, times=2)
    answer = await return_from_kommo(unconnected)
    assert (answer.status_code, "retried automatically" in answer.text) == (502, True)
    assert await unconnected.rows(Account) == []
    unconnected.kommo.faults.clear()
    await connect_waiting(unconnected.resources)
    assert (await shown(unconnected))["state"] == "connected"


async def test_an_answer_survives_the_process_that_got_it(unconnected: World, sqlite_url: str) -> None:
    await killed(unconnected)
    fault = unconnected.kommo.faults.add("drop_before", ACCOUNT, times=0)
    await return_from_kommo(unconnected)
    unconnected.kommo.faults.waiting.remove(fault)
    async with unconnected.started_again(sqlite_url) as product:
        await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)
        assert [one.body["grant_type"] for one in asked(product, TOKEN)] == ["authorization_code"]
        assert (await shown(product))["state"] == "connected"
        assert await product.rows(PendingInstall) == []


async def test_a_token_adopted_late_is_not_taken_for_a_new_one(unconnected: World, clock: MovableClock) -> None:
    fault = unconnected.kommo.faults.add("drop_before", ACCOUNT, times=0)
    await return_from_kommo(unconnected)
    unconnected.kommo.faults.waiting.remove(fault)
    clock.advance(6 * 3600)
    await connect_waiting(unconnected.resources)
    account = await stored(unconnected)
    assert account.token_expires_at < clock() + 19 * 3600


@pytest.mark.parametrize("kind", ["drop_after", "cut"])
async def test_a_lost_answer_to_a_code_is_told_and_the_next_install_connects(unconnected: World, kind: str) -> None:
    unconnected.kommo.faults.add(kind, TOKEN, times=2)
    assert (await return_from_kommo(unconnected)).status_code in (400, 502)
    assert (await return_from_kommo(unconnected)).status_code == 200


async def test_a_connected_account_keeps_its_tokens_until_kommo_has_named_the_new_ones(product: World) -> None:
    before = await stored(product)
    product.kommo.faults.add("drop_before", ACCOUNT, times=0)
    await return_from_kommo(product)
    assert ((await stored(product)).tokens, (await stored(product)).state) == (before.tokens, "connected")


async def test_connecting_again_takes_the_new_pair(product: World) -> None:
    assert (await return_from_kommo(product)).status_code == 200
    assert (await stored(product)).token_version == 2
    assert (await ask_kommo(product.resources, product.account.id)).id == product.account.id


async def test_an_integrations_code_of_another_account_leaves_the_first_alone(product: World) -> None:
    """Our integration may be installed in several accounts: each is a row by its own id."""
    before = await stored(product)
    other = product.kommo.add_account("globex")
    product.kommo.integrations[product.integration.client_id].account_id = other.id
    assert (await return_from_kommo(product)).status_code == 200
    rows = {row.id: row for row in await product.rows(Account)}
    assert rows.keys() == {product.account.id, other.id}
    assert (rows[before.id].tokens, rows[before.id].subdomain) == (before.tokens, "acme")
    assert rows[other.id].client_id == product.integration.client_id


async def test_a_rep_who_allows_access_does_not_take_an_admins_place(product: World) -> None:
    """Kommo lets anybody authorize what is installed: by a rep's tokens other people's deals would seem deleted."""
    rep = product.account.add_salesperson("Rep", "rep@shop.example")
    rep.leads.view = "M"
    before = await stored(product)
    code = product.kommo.issue_code(product.integration.client_id, rep.id)
    answer = await return_from_kommo(product, code=code, **HOOK)
    assert (answer.status_code, "administrator" in answer.text) == (400, True)
    assert ((await stored(product)).tokens, await product.rows(PendingInstall)) == (before.tokens, [])
    lead_id = await product.paid_deal()
    assert product.deal(lead_id)["status"] == "Paid"


async def test_both_accounts_of_one_integration_go_on_working(product: World) -> None:
    other = product.kommo.add_account("globex")
    product.kommo.integrations[product.integration.client_id].account_id = other.id
    await return_from_kommo(product)
    for account_id in (product.account.id, other.id):
        assert (await ask_kommo(product.resources, account_id)).id == account_id


async def test_an_answer_that_is_no_pair_is_told_and_not_read_for_ever(unconnected: World) -> None:
    unconnected.kommo.faults.add("cut", TOKEN, times=0)
    assert (await return_from_kommo(unconnected)).status_code == 502
    assert await unconnected.rows(PendingInstall) == []


async def test_a_removed_integration_asks_for_a_new_connection(product: World) -> None:
    answer = await product.http.delete(
        f"{product.url}/admin/api/integrations/{product.integration.client_id}", headers=product.admin
    )
    assert answer.status_code == 200
    row = await shown(product)
    assert (row["state"], "was removed" in row["problem"]) == ("reconnect", True)


async def test_a_key_that_named_another_account_serves_this_one_as_soon_as_that_is_put_right(tmp_path: Path) -> None:
    """What came meanwhile is worked in, and Stripe is told where to send what comes."""
    url, secret = f"sqlite+aiosqlite:///{tmp_path}/product.db", "whsec_made_up_for_the_tests"
    wrong = {"kommo_subdomain": "elsewhere", "stripe_webhook_secret": secret}
    async with open_world(url, connected=False, more=wrong) as product:
        await return_from_kommo(product)
        await product.quiet()
        lead_id = product.lead()
        marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": str(lead_id)}
        body = json.dumps(evt("payment_intent.succeeded", intent(metadata=marks)))
        signed = WebhookSignature.generate_signature_header(body, secret, timestamp=int(time.time()))
        answer = await product.http.post(
            f"{product.url}/stripe/webhook", content=body, headers={"Stripe-Signature": signed}
        )
        assert answer.status_code == 200
        product.worker.stop()
        async with product.started_again(url, stripe_webhook_secret=secret):
            await product.until(lambda: product.notes(lead_id))
            await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)


async def test_a_key_that_comes_with_a_later_start_has_its_endpoint_at_once(tmp_path: Path) -> None:
    """Stripe sends no endpoint what happened before it was made."""
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    async with open_world(url, connected=False, more={"stripe_api_key": ""}) as product:
        await return_from_kommo(product)
        await product.quiet()
        product.worker.stop()
        async with product.started_again(url):
            await product.until(lambda: product.stripe.default_account.shelves[True].endpoints)
