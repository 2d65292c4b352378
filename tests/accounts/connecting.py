"""What the tests of connecting do again and again: come back from Kommo, look at the database, start once more."""

import asyncio
from typing import Any

import httpx

from backend.accounts.tokens.call import with_kommo
from backend.kommo_api.values import AccountInfo
from backend.resources import Resources
from backend.storage.models import Account
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from tests.world import World
from tests.world.view import WorldView

CALLBACK = "/oauth/kommo/callback"
TOKEN = "/oauth2/access_token"
ACCOUNT = "/api/v4/account"


async def begun(product: World, **which: str) -> str:
    """An admin begins here; the state that Kommo is sent."""
    answer = await product.http.get(f"{product.url}/oauth/kommo/start", params=which, headers=product.admin)
    assert answer.status_code == 302, answer.text
    return httpx.URL(answer.headers["location"]).params["state"]


async def return_from_kommo(product: World, **change: str | None) -> httpx.Response:
    """Kommo's redirect after Allow, with ``change``; None leaves a parameter out."""
    true = {
        "code": product.kommo.issue_code(product.integration.client_id),
        "referer": product.kommo.host_of(product.account),
        "client_id": product.integration.client_id,
        "state": await begun(product),
    }
    given = {name: value for name, value in (true | change).items() if value is not None}
    return await product.http.get(f"{product.url}{CALLBACK}", params=given)


async def installed(product: WorldView, account: KommoAccount, code: str | None = None) -> Integration:
    """A second Kommo account: its own integration, whose keys an admin gives with a code."""
    made = product.kommo.add_integration(
        account, f"{product.url}{CALLBACK}", disable_uri=f"{product.url}/kommo/uninstall"
    )
    body = {"client_secret": made.client_secret, "code": code or product.kommo.issue_code(made.client_id)}
    answer = await put(product, f"integrations/{made.client_id}", body)
    assert answer.json()["account_id"] == account.id, answer.text
    return made


async def put(product: WorldView, path: str, body: Any) -> httpx.Response:
    return await product.http.put(f"{product.url}/admin/api/{path}", json=body, headers=product.admin)


async def shown(product: World, account_id: int | None = None) -> dict[str, Any]:
    """What the admin API tells of an account, by default the first of Kommo's."""
    answer = await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)
    wanted = account_id or product.account.id
    row: dict[str, Any] = next(one for one in answer.json() if one["account_id"] == wanted)
    return row


async def stored(product: World, account_id: int | None = None) -> Account:
    rows = await product.rows(Account)
    found: Account = next(row for row in rows if row.id == (account_id or product.account.id))
    return found


def asked(product: World, path: str) -> list[Any]:
    """Kommo's log of the calls to ``path``."""
    return [one for one in product.kommo.requests if one.path == path]


async def ask_kommo(resources: Resources, account_id: int) -> AccountInfo:
    return await with_kommo(resources, account_id, lambda api: api.account())


async def killed(product: World) -> None:
    """This process does nothing more; its database is as it left it."""
    product.worker.stop()
    await asyncio.sleep(0.05)
