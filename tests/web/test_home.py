"""Who opens the server's own address is told what this is and where to go, and nothing of the accounts behind it."""

import re
from pathlib import Path

from sandbox.clock import MovableClock
from tests.world import open_world


async def test_the_servers_address_leads_a_person_on(tmp_path: Path, anyio_backend: str) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        page = await shop.open("/", **{"Accept-Language": "pt-BR,pt;q=0.9"})
        assert (page.status_code, page.headers["x-robots-tag"]) == (200, "noindex, nofollow")
        assert "script-src" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert '<p lang="pt">Verifique' in page.text
        (way_on,) = re.findall(r'href="([^"]+)"', page.text)
        assert "Sign in" in (await shop.open(way_on)).text
        told = (shop.kommo.account.subdomain, str(shop.kommo.account.id), "Acme Studio", shop.integration.client_id)
        assert [word for word in told if word in page.text] == []
        assert (await shop.http.head("/")).status_code == 200
