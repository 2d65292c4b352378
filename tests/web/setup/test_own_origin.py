"""Forms of our own pages, however the operator wrote the server's address: browsers write an origin in one way only."""

from pathlib import Path

import pytest

from tests.world import ADMIN_TOKEN, open_world


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://Pay.Example.com", "https://pay.example.com"),
        ("https://pay.example.com:443/", "https://pay.example.com"),
        ("https://pay.example.com:8443", "https://pay.example.com:8443"),
        ("https://zahlung.müller.example", "https://zahlung.xn--mller-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
async def test_the_servers_own_form_is_known_and_no_other(tmp_path: Path, public_url: str, origin: str) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/origin.db"
    async with open_world(url, own_hosts=True, more={"public_url": public_url}) as here:
        found = {}
        others = (f"{origin}.evil.example", "https://pay.example.com:444", "null", origin.replace(":", ":x@"))
        for sent in (origin, *others):
            answer = await here.http.post("/admin/login", data={"token": ADMIN_TOKEN}, headers={"Origin": sent})
            found[sent] = answer.status_code
        assert found.pop(origin) == 303
        assert set(found.values()) == {403}
