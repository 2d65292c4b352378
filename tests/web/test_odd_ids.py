"""What no database takes: at each door of connecting it is refused like any other that is not known, on both."""

import hashlib
import hmac

from sqlmodel import select

from backend.storage.models import Integration, PendingInstall
from sandbox.clock import MovableClock
from tests.world import ADMIN, Tenant, World, new_tenant, open_world

NAMES = ("\x00", "a\x00b", "\x1b[31mred", "x" * 5000)


async def answered(here: World, name: str) -> dict[str, int]:
    path = "/admin/api/integrations/" + "".join(f"%{byte:02x}" for byte in name.encode())
    hook = {"code": "x", "referer": "acme.kommo.com", "client_id": name, "from_widget": "1"}
    gone = {"client_uuid": name, "account_id": "1", "signature": "0" * 64}
    return {
        "callback": (await here.http.get("/oauth/kommo/callback", params=hook)).status_code,
        "start": (await here.http.get("/oauth/kommo/start", params={"client_id": name}, headers=ADMIN)).status_code,
        "uninstall": (await here.http.get("/kommo/uninstall", params=gone)).status_code,
        "put": (await here.http.put(path, json={"client_secret": "x"}, headers=ADMIN)).status_code,
        "delete": (await here.http.delete(path, headers=ADMIN)).status_code,
    }


async def texts(tenant: Tenant) -> dict[str, int]:
    path = f"/admin/api/integrations/{tenant.integration.client_id}"
    found = {}
    for name, value in (("label", "a\x00"), ("redirect_uri", "https://x.example/\x00"), ("subdomain", "\x00")):
        body = {"client_secret": tenant.integration.client_secret, name: value, "code": "x"}
        found[name] = (await tenant.world.http.put(path, json=body, headers=ADMIN)).status_code
    attach = {"account_id": tenant.account.id, "lead_id": 1}
    answer = await tenant.world.http.post("/admin/api/unmatched/%00/attach", json=attach, headers=ADMIN)
    return found | {"attach": answer.status_code}


async def goodbye(tenant: Tenant, account_id: str) -> int:
    """Signed by whoever owns the integration, for an account that can't be."""
    client_id, secret = tenant.integration.client_id, tenant.integration.client_secret
    signature = hmac.new(secret.encode(), f"{client_id}|{account_id}".encode(), hashlib.sha256).hexdigest()
    given = {"client_uuid": client_id, "account_id": account_id, "signature": signature}
    return (await tenant.world.http.get("/kommo/uninstall", params=given)).status_code


async def test_what_can_not_be_a_name_is_refused_and_nothing_is_kept(database_url: str) -> None:
    async with open_world(database_url, clock=MovableClock(), own_hosts=True) as here:
        tenant = await new_tenant(here)
        refused = {"callback": 400, "start": 409, "uninstall": 403, "put": 422, "delete": 404}
        assert [await answered(here, name) for name in NAMES] == [refused] * len(NAMES)
        assert await texts(tenant) == {"label": 422, "redirect_uri": 422, "subdomain": 422, "attach": 404}
        assert [await goodbye(tenant, account_id) for account_id in ("9" * 30, "٣", "0")] == [200] * 3
        async with here.resources.database.read() as session:
            assert [row.client_id for row in (await session.exec(select(Integration))).all()] == [
                tenant.integration.client_id
            ]
            assert (await session.exec(select(PendingInstall))).all() == []
        assert (await tenant.row()).state == "connected"
