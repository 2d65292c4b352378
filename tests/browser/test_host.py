"""The sandbox's own pages: as strict as Kommo, and alive while a person watches."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from backend import widget_archive
from backend.core.clock import system_clock
from backend.widget_archive.packing import packed, unpacked
from sandbox.kommo.accounts.person import Person
from sandbox.kommo.host import install_widget
from sandbox.kommo.host.upload import UploadRefused
from sandbox.kommo.world import KommoWorld
from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import a_request

browser = pytest.mark.browser


@browser
def test_one_token_serves_many_calls_and_every_call_is_asked_for_first(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request()]}
    card.open()
    card.button("Check now").click()
    expect(card.button("Check now")).to_be_visible()
    tokens = {call.token["jti"] for call in card.world.backend.calls}
    assert len(tokens) == 1
    assert card.world.backend.preflights >= len(card.world.backend.calls)


@browser
def test_the_token_is_of_the_user_at_the_screen(card: DealCardPage) -> None:
    sam = next(user for user in card.world.kommo.account.users.values() if not user.is_admin)
    card.open(user=str(sam.id))
    expect(card.button("Create Stripe payment")).to_be_visible()
    assert {call.token["user_id"] for call in card.world.backend.calls} == {sam.id}


@browser
def test_the_widget_comes_from_another_origin_with_its_version(card: DealCardPage) -> None:
    asked: list[str] = []
    card.page.on("request", lambda request: asked.append(request.url))
    card.open()
    scripts = [url for url in asked if "/script.js" in url]
    assert [url.startswith("http://localhost:") and url.endswith("?v=1.0.0") for url in scripts] == [True]


@browser
@pytest.mark.parametrize("expression", ["APP.nonsense", "APP.data.current_card.reload", "APP.lang_id = 'xx'"])
def test_what_kommo_does_not_have_can_not_be_used(card: DealCardPage, expression: str) -> None:
    card.open()
    with pytest.raises(Error, match="host:"):
        card.page.evaluate(f"() => {expression}")
    card.page.evaluate("window.host.complaints.length = 0")
    card.heard.clear()


@browser
def test_what_the_product_writes_appears_in_the_open_card(card: DealCardPage) -> None:
    card.open()
    account = card.world.kommo.account
    Person(account, account.admin.id).add_note(card.world.leads[0], "Payment received: 120.00 EUR")
    expect(card.page.get_by_role("region", name="Feed")).to_contain_text("Payment received: 120.00 EUR")


@browser
def test_an_edit_in_the_card_reaches_the_deal(card: DealCardPage) -> None:
    card.open()
    card.page.get_by_label("Budget").fill("4 321.50")
    card.page.get_by_role("button", name="Save").click()
    expect(card.page.get_by_role("button", name="Save")).to_be_hidden()
    assert card.world.kommo.account.leads[card.world.leads[0]].price == 4321.5


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[dict[str, bytes | None]], str]:
    """Uploads our widget with some files changed (None: left out); the refusal's words, or an empty text."""
    built = widget_archive.build(widget_archive.find_sources(), "https://pay.example.com", tmp_path / "widget.zip")
    world = KommoWorld(system_clock)
    client_id = world.add_integration(world.account, "https://pay.example.com/cb").client_id

    def send(changes: dict[str, bytes | None]) -> str:
        files = {name: text for name, text in (unpacked(built.content) | changes).items() if text is not None}
        try:
            install_widget(world, client_id, packed(files))
        except UploadRefused as refused:
            return str(refused)
        return ""

    return send


def test_the_built_archive_is_taken(upload: Callable[[dict[str, bytes | None]], str]) -> None:
    assert upload({}) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"manifest.json": None}, "manifest.json is missing"),
        ({"manifest.json": b"\xef\xbb\xbf{}"}, "manifest.json is no JSON"),
        ({"script.js": None}, "script.js is missing"),
        ({"images/logo_min.png": None}, "images/logo_min.png is missing"),
        ({"i18n/tr.json": None}, "locale and i18n/ differ"),
        ({"i18n/tr.json": b"{}"}, "different keys"),
        ({".DS_Store": b""}, "has no place"),
        ({"script.js": b"const key = 'sk_live_'"}, "holds a secret"),
    ],
)
def test_a_bad_archive_is_refused(
    upload: Callable[[dict[str, bytes | None]], str], changes: dict[str, bytes | None], words: str
) -> None:
    assert words in upload(changes)


def test_a_folder_around_the_files_is_refused(tmp_path: Path) -> None:
    world = KommoWorld(system_clock)
    client_id = world.add_integration(world.account, "https://pay.example.com/cb").client_id
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("widget/manifest.json", "{}")
    with pytest.raises(UploadRefused, match="missing"):
        install_widget(world, client_id, buffer.getvalue())
