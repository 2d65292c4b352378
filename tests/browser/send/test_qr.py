"""The link as a QR code, compared with what an independent encoder draws."""

import re

import pytest
import segno
from playwright.sync_api import expect

from tests.browser.deal_card_page import DealCardPage
from tests.browser.scripted_backend import Answer, a_request

pytestmark = pytest.mark.browser

LINK = "https://pay.example.com/p/abcdefghjkmnpqrs"
RIM = 4


@pytest.mark.parametrize("length", [42, 62, 84, 106, 122, 152, 180])
def test_the_code_is_the_link(card: DealCardPage, length: int) -> None:
    """Lengths that fill a version: the encoder compared with adds a byte of its own where there is room."""
    url = LINK.ljust(length, "x")
    card.world.backend.script["create"] = [Answer(201, a_request(url=url))]
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    card.widget.get_by_text("Show QR code").click()
    expect(card.widget.get_by_role("img", name="QR code of the payment link")).to_be_visible()
    wanted = segno.make(url, error="m", mode="byte", mask=0, boost_error=False, micro=False)
    dark = {(x, y) for y, row in enumerate(wanted.matrix) for x, module in enumerate(row) if module}
    assert _drawn(card) == dark


def test_a_link_too_long_for_a_code_has_none(card: DealCardPage) -> None:
    card.world.backend.script["create"] = [Answer(201, a_request(url=LINK.ljust(181, "x")))]
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    expect(card.button("Copy link")).to_be_visible()
    expect(card.widget.get_by_text("Show QR code")).to_have_count(0)


def test_each_open_link_of_the_list_has_its_code_and_it_stays_while_the_list_is_read_again(card: DealCardPage) -> None:
    card.world.backend.deal |= {"requests": [a_request(1), a_request(2)]}
    card.open()
    card.widget.get_by_text("Show QR code").first.click()
    expect(card.widget.locator(".dealpay-qr:visible")).to_have_count(1)
    card.world.backend.deal = card.world.backend.deal | {"requests": [a_request(3), a_request(1), a_request(2)]}
    card.later(6)
    expect(card.widget.get_by_role("listitem")).to_have_count(3)
    shown = card.widget.get_by_role("listitem").nth(1).locator(".dealpay-qr")
    expect(shown).to_be_visible()
    expect(card.widget.locator(".dealpay-qr:visible")).to_have_count(1)


def _drawn(card: DealCardPage) -> set[tuple[int, int]]:
    path = card.widget.locator(".dealpay-qr-ink").get_attribute("d") or ""
    return {(int(x) - RIM, int(y) - RIM) for x, y in re.findall(r"M(\d+) (\d+)", path)}
