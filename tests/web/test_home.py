"""Who opens the server's own address is told what this is and where to go, and nothing of the accounts behind it."""

import re
from html import unescape
from pathlib import Path

from markupsafe import escape

from backend.core.i18n import LANGUAGES
from backend.web.client.link_pages import texts_of
from backend.web.readiness import BEAT_IS_OLD_SECONDS, LOOKS_AT_ONCE
from sandbox.clock import MovableClock
from tests.world import open_world


async def test_the_servers_address_leads_a_person_on(tmp_path: Path, anyio_backend: str) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        page = await shop.open("/", **{"Accept-Language": "pt-BR,pt;q=0.9"})
        assert (page.status_code, page.headers["x-robots-tag"]) == (200, "noindex, nofollow")
        assert "script-src" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<p>Verifique" in page.text
        (way_on,) = re.findall(r'<a [^>]*href="([^"]+)"', page.text)
        assert "Sign in" in (await shop.open(way_on)).text
        told = (shop.kommo.account.subdomain, str(shop.kommo.account.id), "Acme Studio", shop.integration.client_id)
        assert [word for word in told if word in page.text] == []
        assert (await shop.http.head("/")).status_code == 200


async def test_it_says_in_six_languages_what_this_is_and_whether_it_is_well(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=clock, worker=False) as shop:
        well = {language: (await shop.open(f"/?lang={language}")).text for language in LANGUAGES}
        clock.advance(BEAT_IS_OLD_SECONDS + LOOKS_AT_ONCE)
        unwell = {language: (await shop.open(f"/?lang={language}")).text for language in LANGUAGES}
    for language in LANGUAGES:
        texts = texts_of(language)
        assert f'<html lang="{language}">' in well[language]
        assert escape(texts["home_what"]) in well[language]
        assert escape(texts["home_well"]) in well[language]
        assert escape(texts["home_unwell"].format(address="/readyz")) in unwell[language]
        assert (
            re.findall(r"\d", re.sub("<style>.*</style>|<[^>]*>", "", unescape(unwell[language]), flags=re.DOTALL))
            == []
        )


async def test_the_address_of_a_form_opened_as_a_page_is_no_page_and_says_so(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        for path in ("/admin/login", "/admin/logout"):
            answer = await shop.open(path, **{"Accept-Language": "es"})
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
            assert "No existe esa página." in answer.text
        api = await shop.open("/admin/api/accounts/1/deals/2/move")
        assert (api.status_code, api.json()["error"]["code"], api.headers["allow"]) == (
            405,
            "method_not_allowed",
            "POST",
        )
