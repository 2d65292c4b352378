"""Every route of the running product, found from the application: a new one is covered by itself."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from backend.accounts.kommo_hooks import give_addresses, hook_url
from backend.admin.sessions import Visitor, begin
from backend.storage.models import Account, StripeConnection
from backend.web.frame.auth import COOKIE
from tests.world import ADMIN_TOKEN, World

WITH_BODY = ("POST", "PUT", "PATCH", "DELETE")
ANY = ("GET", "HEAD", "POST")
"""What a bare ASGI object may be asked by; it names no methods."""


@dataclass(frozen=True)
class Door:
    method: str
    path: str

    def filled(self, values: dict[str, str]) -> str:
        return re.sub(r"{(\w+)}", lambda found: values[found[1]], self.path)


def doors(app: FastAPI) -> Iterator[Door]:
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods or ANY):
            yield Door(method, route.path or "")


async def known_values(product: World, hook_secret: str = "unknown") -> dict[str, str]:
    """What stands in a path for each of its names: something that is there, where anything is."""
    (connection,) = await product.rows(StripeConnection)
    return {
        "connection": connection.id,
        "secret": hook_secret,
        "lead_id": "1",
        "account_id": str(product.account.id),
        "request_id": str(uuid.uuid4()),
        "payment_id": "pi_unknown",
        "client_id": "unknown",
        "token": "a" * 16,
        "digest": "0" * 32,
        "name": "kommo",
        "event_id": "evt_unknown",
        "line_id": "pi_unknown",
        "run_id": str(uuid.uuid4()),
        "step": "payment_link",
    }


async def hook_secret(product: World) -> str:
    await give_addresses(product.resources)
    (account,) = await product.rows(Account)
    return hook_url(product.resources, account).rpartition("/")[2]


async def everybody(product: World) -> dict[str, str]:
    """The headers of somebody who may do everything, by whatever door: a session of the operator, and both tokens."""
    cookie = await begin(product.resources, Visitor(), ADMIN_TOKEN)
    return product.admin | product.token() | {"Cookie": f"{COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin"}
