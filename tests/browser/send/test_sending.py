"""Ways to send a link: to whom it goes, what is in it, and that the same ways stand at every open link."""

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Locator, expect

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.host.installed import shelf_of
from sandbox.kommo.records import Contact
from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import a_request

pytestmark = pytest.mark.browser


def _account(card: DealCardPage) -> Account:
    return card.world.kommo.account


def _linked(card: DealCardPage, *contacts: Contact) -> None:
    """These are the contacts of the first deal."""
    _account(card).leads[card.world.leads[0]].contacts = {one.id: n == 0 for n, one in enumerate(contacts)}


def _open(card: DealCardPage, *, texts: str = "texts", **facts: Any) -> DealCardPage:
    card.world.backend.deal |= {"requests": [a_request(**facts)]}
    return card.open(contacts=texts)


def _link(card: DealCardPage, name: str) -> Locator:
    return card.widget.get_by_role("link").filter(has_text=name)


def _message(card: DealCardPage) -> str:
    href = _link(card, "WhatsApp").get_attribute("href") or ""
    return parse_qs(urlsplit(href).query)["text"][0]


def _number(card: DealCardPage) -> str:
    return urlsplit(_link(card, "WhatsApp").get_attribute("href") or "").path.removeprefix("/")


URL = a_request()["url"]


@pytest.mark.parametrize("reading", ["texts", "objects"])
def test_whatsapp_and_mail_go_to_the_contact_with_the_message_in_them(card: DealCardPage, reading: str) -> None:
    _open(card, texts=reading)
    expect(_link(card, "WhatsApp")).to_have_attribute("href", re.compile("^https://wa.me/14155550101"))
    assert _message(card) == f"Hello Ana! Here is the link to pay €120.00 EUR: {URL}"
    mail = urlsplit(_link(card, "E-mail").get_attribute("href") or "")
    assert (mail.scheme, mail.path) == ("mailto", "ana@client.example")
    sent = {name: unquote(value) for name, _, value in (part.partition("=") for part in mail.query.split("&"))}
    assert sent == {"subject": "Website for Ana", "body": _message(card)}


@pytest.mark.parametrize("reading", ["absent", "of nobody"])
def test_where_kommo_tells_no_contact_the_rep_chooses_one(card: DealCardPage, reading: str) -> None:
    if reading == "of nobody":
        _linked(card)
    _open(card, texts=reading)
    expect(_link(card, "WhatsApp")).to_be_visible()
    assert (_number(card), _message(card)) == ("", f"Hello! Here is the link to pay €120.00 EUR: {URL}")
    assert (_link(card, "E-mail").get_attribute("href") or "").startswith("mailto:?")


@pytest.mark.parametrize(
    ("typed", "number"),
    [("+52 1 (55) 1234-5678", "5215512345678"), ("0049.30/123456", "4930123456"), ("55 1234 5678", ""),
     ("11987654321", ""), ("+12", ""), ("+1415555010123456", ""), ("+44 20 7946 0958 ext 4", "")],
)  # fmt: skip
def test_only_a_number_with_its_country_is_called(card: DealCardPage, typed: str, number: str) -> None:
    """Without the country's code it may be somebody else's: then WhatsApp asks for the chat."""
    _linked(card, _account(card).add_contact("Ana", phone=typed))
    _open(card)
    expect(_link(card, "WhatsApp")).to_have_attribute("href", re.compile(f"wa.me/{number}[?]"))


def test_of_several_contacts_the_one_who_was_asked_gets_it(card: DealCardPage) -> None:
    first = _account(card).add_contact("Eva", phone="+4930111111")
    asked = _account(card).add_contact("Uwe", phone="+4930222222")
    _linked(card, first, asked)
    _open(card, contact_id=asked.id)
    expect(_link(card, "WhatsApp")).to_have_attribute("href", re.compile("wa.me/4930222222"))
    assert _message(card).startswith("Hello Uwe!")


def test_where_nobody_knows_which_of_several_it_goes_to_none(card: DealCardPage) -> None:
    _linked(card, *(_account(card).add_contact(name, phone="+4930111111") for name in ("Eva", "Uwe")))
    _open(card)
    expect(_link(card, "WhatsApp")).to_have_attribute("href", re.compile(r"wa.me/\?"))


def test_a_contact_that_is_called_by_its_number_is_not_greeted_with_it(card: DealCardPage) -> None:
    _linked(card, _account(card).add_contact("+52 55 1234 5678", phone="+525512345678"))
    _open(card)
    expect(_link(card, "WhatsApp")).to_have_attribute("href", re.compile("525512345678"))
    assert _message(card).startswith("Hello! Here")


@pytest.mark.parametrize(
    ("template", "facts", "text"),
    [
        ("{name}: {description}, {amount}. Until {due}. {link}", {"expires_at": "2026-12-24T12:00:00Z"},
         f"Ana: Website for Ana, €120.00 EUR. Until Dec 24, 12:00 PM. {URL}"),
        ("{amount} until {due}: {link}", {"due_on": "2026-12-20", "valid_until": "2027-01-05"},
         f"€120.00 EUR until Dec 20, 2026: {URL}"),
        ("Dear {name}, pay {amount}. It ends on {due}! Thanks.", {}, f"Dear Ana, pay €120.00 EUR. Thanks. {URL}"),
        ("Hi {name}, pay {amount} by {due}: {link}", {}, f"Hello Ana! Here is the link to pay €120.00 EUR: {URL}"),
        ("{description}: {amount}", {"description": "دفعة 1"}, f"\u2068دفعة 1\u2069: €120.00 EUR {URL}"),
        ("{link} {nonsense}", {}, f"{URL} {{nonsense}}"),
        ("{description}", {"description": "50% {link} $&"}, f"50% {{link}} $& {URL}"),
    ],
)  # fmt: skip
def test_the_admins_message_is_filled_in(card: DealCardPage, template: str, facts: dict[str, Any], text: str) -> None:
    next(iter(shelf_of(card.world.kommo).values())).settings["message"] = template
    _open(card, **facts)
    expect(_link(card, "WhatsApp")).to_be_visible()
    assert _message(card) == text


@pytest.mark.own_page
def test_a_telephone_offers_its_own_sheet(card: DealCardPage) -> None:
    card.page.add_init_script("navigator.share = (sent) => { window.sent = sent; return Promise.resolve(); }")
    _open(card)
    card.button("Share…").click()
    assert card.page.evaluate("window.sent") == {"title": "Website for Ana", "text": _message(card)}


@pytest.mark.own_page
def test_a_sheet_that_is_closed_again_is_no_fault(card: DealCardPage) -> None:
    card.page.add_init_script("navigator.share = () => Promise.reject(new DOMException('', 'AbortError'))")
    _open(card)
    card.button("Share…").click()
    expect(card.widget.get_by_role("alert")).to_have_count(0)


def test_every_link_that_can_be_paid_has_the_same_ways_and_no_other(card: DealCardPage) -> None:
    states = ("pending", "failed", "processing", "cancelled")
    card.world.backend.deal |= {"requests": [a_request(n, state=state) for n, state in enumerate(states, 1)]}
    card.open()
    expect(_link(card, "WhatsApp")).to_have_count(2)
    expect(_link(card, "E-mail")).to_have_count(2)
    expect(card.button("Copy message")).to_have_count(2)


def test_each_name_says_what_it_acts_on(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(amount="600.00", currency="USD")]}
    card.open()
    for action in ("Copy", "Cancel", "Copy message"):
        expect(card.button(action)).to_have_accessible_name(f"{action}: link for $600.00 USD, Website for Ana")
    for action in ("Open", "WhatsApp", "E-mail"):
        expect(_link(card, action)).to_have_accessible_name(f"{action}: link for $600.00 USD, Website for Ana")


def test_what_was_copied_is_said_in_the_place_of_the_name(card: DealCardPage) -> None:
    _open(card)
    card.button("Copy").click()
    said = card.widget.locator("[data-key^=copy-]")
    expect(said).to_have_accessible_name(re.compile("Copied|Ctrl"))


def test_one_fault_is_told_once(card: DealCardPage) -> None:
    _open(card)
    card.begin()
    card.page.route(f"{card.world.backend_url}/**", lambda route: route.abort())
    card.submit.click()
    expect(card.widget.get_by_role("alert").filter(visible=True)).to_have_count(1)
    card.later(60)
    card.page.wait_for_timeout(1500)
    expect(card.widget.get_by_role("alert").filter(visible=True)).to_have_count(1)
