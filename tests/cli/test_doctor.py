"""``doctor`` beside the running product: a line for each thing, what to do where it is wrong, and an exit code."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.stripe.objects.accounts import LEAST
from tests.accounts.connecting import ACCOUNT, asked, installed, put, return_from_kommo
from tests.command_line import typed
from tests.world import World, open_world


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as made:
        yield made


async def looked(product: World, folder: Path, **more: str) -> tuple[int, list[str]]:
    code, said = await typed(product, folder, "doctor", **more)
    return code, [line for line in said.splitlines() if line.startswith(("ok ", "FIX"))]


def of(lines: list[str], what: str) -> str:
    return next(line for line in lines if what in line)


async def test_where_all_is_well_every_line_is_ok(product: World, tmp_path: Path) -> None:
    code, lines = await looked(product, tmp_path)
    assert [line for line in lines if not line.startswith("ok ")] == []
    looked_at = ("settings", "database", "integration", "Kommo acme:", "fields", "Stripe live", "webhook", "widget")
    assert [what for what in looked_at if not any(what in line for line in lines)] == []
    assert code == 0


async def test_each_thing_that_is_wrong_is_named_with_what_to_do(product: World, tmp_path: Path) -> None:
    field = product.account.field("STRIPE_CURRENCY")
    assert field is not None
    del product.account.custom_fields[field.id]
    (endpoint,) = product.stripe.default_account.shelves[True].endpoints.values()
    endpoint.shown["status"] = "disabled"
    key = product.stripe.default_account.add_restricted_key(set(LEAST) - {"rak_dispute_read"})
    await put(product, f"accounts/{product.account.id}/stripe", {"api_key": key})
    (tmp_path / "widget.zip").write_bytes(b"another")
    code, lines = await looked(product, tmp_path)
    assert code == 1
    assert of(lines, "fields").startswith("FIX  Kommo acme: fields: missing: Currency")
    assert "it is disabled" in of(lines, f"Stripe live of account {product.account.id}: webhook")
    assert "rak_dispute_read" in of(lines, "Stripe test")
    assert "build it again" in of(lines, "widget")
    assert of(lines, "Kommo acme: Kommo answers").startswith("ok ")


async def test_an_account_that_lost_its_access_is_told_where_to_go(product: World, tmp_path: Path) -> None:
    product.kommo.wallet.revoke(product.integration.client_id)
    code, lines = await looked(product, tmp_path)
    assert (code, of(lines, "Kommo acme").startswith("FIX")) == (1, True)
    again = (await looked(product, tmp_path))[1]
    assert f"{product.url}/oauth/kommo/start" in of(again, "Kommo acme")


async def test_the_doctor_says_that_an_empty_database_must_be_migrated(product: World, tmp_path: Path) -> None:
    code, lines = await looked(product, tmp_path, DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/new.db")
    assert (code, "migrate" in of(lines, "database")) == (1, True)


async def test_another_key_than_the_one_that_sealed_is_named(product: World, tmp_path: Path) -> None:
    code, lines = await looked(product, tmp_path, SECRET_KEYS="another key of the tests")
    assert (code, "SECRET_KEYS" in of(lines, "integration")) == (1, True)


async def test_a_renewal_that_got_no_deal_is_told(product: World, tmp_path: Path) -> None:
    await put(product, f"accounts/{product.account.id}/options", {"renewals": "new_deal"})
    lead_id = product.lead("Hosting")
    await product.pay(await product.link(lead_id, mode="subscription", interval="month"))
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    product.kommo.faults.add("402", "/api/v4/leads$", method="POST")
    subscription = next(product.stripe.default_account.shelves[True].newest("subscription"))
    product.stripe.renew_subscription(subscription["id"])
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    await product.quiet()
    code, lines = await looked(product, tmp_path)
    said = of(lines, "Kommo acme: renewals")
    assert (code, said.startswith("FIX"), f"a renewal of deal {lead_id}" in said) == (1, True, True)
    assert "by hand" in said


async def test_the_way_back_leads_through_the_accounts_own_integration(product: World, tmp_path: Path) -> None:
    """At the first look too, which is the one that learns of it."""
    second = product.kommo.add_account("globex")
    integration = await installed(product, second)
    await product.quiet()
    product.kommo.wallet.revoke(integration.client_id)
    for _ in range(2):
        code, lines = await looked(product, tmp_path)
        assert (code, f"/oauth/kommo/start?client_id={integration.client_id}" in of(lines, "globex")) == (1, True)
    await put_away(product, integration.client_id)
    assert f"integrations add {integration.client_id}" in of((await looked(product, tmp_path))[1], "globex")


async def put_away(product: World, client_id: str) -> None:
    url = f"{product.url}/admin/api/integrations/{client_id}"
    assert (await product.http.delete(url, headers=product.admin)).status_code == 200


async def test_where_a_long_lived_token_was_refused_it_is_named(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    no_oauth = {"kommo_client_id": "", "kommo_client_secret": ""}
    token = {"kommo_long_lived_token": "of nobody", "kommo_subdomain": "acme"}
    async with open_world(url, connected=False, more=no_oauth | token) as product:
        await product.until(lambda: asked(product, ACCOUNT))
        await product.quiet()
        given = {"KOMMO_LONG_LIVED_TOKEN": "of nobody", "KOMMO_SUBDOMAIN": "acme"}
        code, lines = await looked(product, tmp_path, **given)
        said = of(lines, "Kommo")
        assert (code, "KOMMO_LONG_LIVED_TOKEN" in said, "oauth" in said) == (1, True, False)


async def test_where_nothing_is_known_the_first_step_is_to_name_an_integration(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    more = {"kommo_client_id": "", "kommo_client_secret": ""}
    async with open_world(url, connected=False, more=more) as product:
        said = of((await looked(product, tmp_path))[1], "Kommo")
        assert ("/admin/accounts" in said, "oauth" in said) == (True, False)


async def test_an_account_by_a_long_lived_token_is_told_to_get_another(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/product.db"
    more = {"kommo_client_id": "", "kommo_client_secret": ""}
    async with open_world(url, connected=False, more=more) as product:
        token = product.kommo.long_lived_token(product.integration.client_id)
        given: dict[str, Any] = {"kommo_long_lived_token": token, "kommo_subdomain": "acme", **more}
        async with product.started_again(url, **given) as by_token:
            await by_token.until(lambda: by_token.stripe.default_account.shelves[True].endpoints)
            await by_token.quiet()
        product.kommo.wallet.revoke(product.integration.client_id)
        said = of((await looked(product, tmp_path))[1], "Kommo acme")
        assert ("KOMMO_LONG_LIVED_TOKEN" in said, "oauth" in said) == (True, False)


async def test_what_waits_for_a_key_is_told_and_a_wrong_key_is_a_fault(tmp_path: Path) -> None:
    hook: dict[str, str | None] = {"state": None, "from_widget": "1"}
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", connected=False) as product:
        made = product.kommo.add_integration(product.account, product.integration.redirect_uri)
        await return_from_kommo(
            product, client_id=made.client_id, code=product.kommo.issue_code(made.client_id), **hook
        )
        product.kommo.renew_secret(product.integration.client_id)
        await return_from_kommo(product, **hook)
        lines = (await looked(product, tmp_path))[1]
        unknown, wrong = (of(lines, f"installation {one.client_id}") for one in (made, product.integration))
        assert (unknown.startswith("ok "), f"integrations add {made.client_id}" in unknown) == (True, True)
        assert (wrong.startswith("FIX"), "does not accept the secret key" in wrong) == (True, True)
        assert f"correct the settings and start again, or give it at {product.url}/admin/accounts" in wrong
