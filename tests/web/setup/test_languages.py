"""Refusals, the sign-in and the operator's pages in six languages; the API next to them stays English."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.core.i18n import LANGUAGES
from backend.core.sentences.said import in_language, said
from backend.kommo_api.errors import KommoUnavailable
from backend.storage.models import Account, Audit
from backend.web.frame.rendering import say
from tests.accounts.connecting import return_from_kommo
from tests.world import ADMIN_TOKEN, World, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def product(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/languages.db") as found:
        yield found


def browser(product: World, language: str) -> httpx.AsyncClient:
    headers = OURS | {"Accept-Language": f"{language}-XX,{language};q=0.9"}
    return httpx.AsyncClient(base_url=product.url, timeout=30.0, follow_redirects=True, headers=headers)


def form_of(product: World, name: str) -> str:
    return f"/admin/accounts/{product.account.id}/{name}"


def read(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


async def test_a_refused_save_is_explained_in_spanish_at_its_field(product: World) -> None:
    for user in product.account.users.values():
        user.lang = "es"
    async with browser(product, "ru") as http:
        made = await product.http.post(f"{product.url}/widget/setup", headers=product.token())
        await http.post(made.json()["url"])
        typed = {"contact_whatsapp": "555 0100", "business_name": "Bluebird"}
        refused = await http.post(form_of(product, "business"), data=typed)
        assert (refused.status_code, '<html lang="es">' in refused.text) == (422, True)
        reason = "WhatsApp necesita el número con + y el código del país, como +52 55 1234 5678."
        at_field = f'<p class="bad" id="error-business-contact_whatsapp">Este valor no es posible: {reason}</p>'
        assert at_field in read(refused)
        assert 'value="555 0100"' in refused.text
        field = refused.text.partition('name="contact_whatsapp"')[2].partition(">")[0]
        assert 'aria-invalid="true" autofocus aria-describedby="error-business-contact_whatsapp"' in field
        assert "No se guardó nada. Mira el campo marcado." in read(refused)
        key = await http.post(form_of(product, "stripe"), data={"api_key": "pk_test_1"})
        assert "Esto es una clave publicable (pk_…), que no puede crear pagos" in read(key)
        gone = await http.post(form_of(product, "again"), data={"event_id": "evt_nothing"})
        assert "Ese evento ya no existe. No se cambió nada." in read(gone)
        elsewhere = await http.post(form_of(product, "rights"), data={}, headers={"Sec-Fetch-Site": "cross-site"})
        assert "No se cambió nada. Abre la página de configuración" in in_language(said("form_of_other_site"), "es")
        assert (elsewhere.status_code, "Эта форма отправлена с другого сайта" in read(elsewhere)) == (403, True)
        missing = await http.get("/admin/setup/nothing")
        assert (missing.status_code, "No existe esa página." in read(missing)) == (404, True)
        nowhere = await http.get("/admin/nowhere")
        assert (nowhere.status_code, "Такой страницы нет." in read(nowhere)) == (404, True)
        large = await http.post(form_of(product, "logo"), files={"logo": ("a.png", b"0" * 300_000)})
        limit = "Данных больше 262\xa0144 байт — предела этого адреса."
        assert (large.status_code, limit in read(large)) == (413, True)


async def test_the_api_refuses_in_english_whatever_the_browser_speaks(product: World) -> None:
    url = f"{product.url}/admin/api/accounts/{product.account.id}/options"
    spanish = product.admin | {"Accept-Language": "es"}
    refused = await product.http.put(url, json={"contact_email": "nowhere"}, headers=spanish)
    sentence = "The option 'contact_email' has no such value: write an e-mail address, such as billing@example.com."
    assert refused.json()["error"] == {"code": "field_invalid", "message": sentence, "field": "contact_email"}


async def test_the_operator_reads_every_page_in_the_language_of_the_browser(product: World) -> None:
    await return_from_kommo(product, client_id="stranger", code="made up", state=None, from_widget="1")
    problem = "Kommo refuses a fresh token. Install the integration again."
    async with product.resources.database.write() as session:
        (await session.get_one(Account, product.account.id)).problem = problem
    for language in LANGUAGES:
        async with browser(product, language) as http:
            wrong = await http.post("/admin/login", data={"token": "wrong"})
            assert in_language(said("admin_token_wrong"), language) in read(wrong)
            assert say(language, "in_come") in read(wrong)
            await http.post("/admin/login", data={"token": ADMIN_TOKEN})
            page = await http.get("/admin/accounts?done=removed")
            shown = read(page)
            assert f'<html lang="{language}">' in page.text
            for name in ("op_title", "op_waiting", "op_done_removed", "op_private", "op_subdomain_hint", "op_add_do"):
                assert say(language, name) in shown, (language, name)
            assert in_language(problem, language) in shown
            form = {"client_id": "unknown", "client_secret": "", "subdomain": ""}
            refused = await http.post("/admin/integrations", data=form)
            assert in_language(said("secret_missing"), language) in read(refused)
            declined = await http.get("/oauth/kommo/callback?error=access_denied")
            assert in_language(said("access_declined"), language) in read(declined)
            assert say(language, "m_not_connected") in read(declined)


async def test_the_log_and_a_deal_speak_the_browsers_language_and_what_is_stored_stays_english(product: World) -> None:
    lead_id = await product.paid_deal()
    async with browser(product, "es") as http:
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        await http.post(form_of(product, "due"), data={"due_days": "3"})
        log = read(await http.get("/admin/events/log"))
        assert ("opciones" in log, "campos del lead" in log, ">options<" in log) == (True, True, False)
        deal = read(await http.get(f"/admin/deal?deal={lead_id}"))
        assert f"Lead {lead_id}: Pagado" in deal
        assert re.search(r"Nota en Kommo \(\w+.*\): hecho", deal)
        assert "no se movió: no se ha elegido etapa para este embudo" in deal or "Etapa en Kommo" in deal
    assert {row.what for row in await product.rows(Audit)} >= {"options", "deal fields"}


async def test_a_problem_is_stored_as_plain_english_in_both_databases(database_url: str) -> None:
    async with open_world(database_url) as product, browser(product, "pt") as http:
        problem = said("set_up_failed", reason=str(KommoUnavailable("HTTP 502")))
        async with product.resources.database.write() as session:
            (await session.get_one(Account, product.account.id)).problem = problem
        (account,) = await product.rows(Account)
        assert (account.problem, type(account.problem)) == (str(problem), str)
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        shown = read(await http.get("/admin/setup/kommo"))
        assert "A configuração no Kommo falhou: O Kommo está com um problema técnico no momento. (HTTP 502)" in shown


async def test_the_page_of_a_sign_in_link_and_its_end_speak_the_users_language(product: World) -> None:
    for user in product.account.users.values():
        user.lang = "tr"
    made = await product.http.post(f"{product.url}/widget/setup", headers=product.token())
    async with browser(product, "id") as http:
        url = made.json()["url"]
        asked = await http.get(url)
        assert ('<html lang="tr">' in asked.text, "kurulumunu aç" in read(asked)) == (True, True)
        await http.post(url)
        over = await http.get(url)
        assert (over.status_code, "Tautan ini sudah dipakai" in read(over)) == (401, True)
