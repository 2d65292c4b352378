"""Each state at the narrowest and the widest place it can have, light and dark: nothing sticks out, nothing shuts
anybody out.

With ``WIDGET_SHOTS=folder`` the screens are kept there.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.axe import violations
from tests.browser.deal_card_page import DealCardPage
from tests.browser.states import PANEL, WIDE

pytestmark = pytest.mark.browser

Look = tuple[int, str]

HALVES = [pytest.param(0, id="daily"), pytest.param(1, id="full", marks=pytest.mark.full)]
"""Of the four looks of a state two are taken each day: each size and each theme once."""


def half(which: int, narrow: int, wide: int) -> list[Look]:
    return [(narrow, "light"), (wide, "dark")] if which == 0 else [(narrow, "dark"), (wide, "light")]


@pytest.mark.parametrize("which", HALVES)
@pytest.mark.parametrize("state", PANEL)
def test_a_state_is_accessible_and_fits_the_panel(card: DealCardPage, state: str, which: int) -> None:
    PANEL[state](card)
    block = card.page.locator("#widgets_block .card-widgets__widget").first
    for width, theme in half(which, 200, 320):
        card.page.evaluate("width => document.getElementById('widgets_block').style.width = `${width}px`", width)
        _holds(card, block, theme, f"{state}-{width}-{theme}")


@pytest.mark.parametrize("which", HALVES)
@pytest.mark.parametrize("state", WIDE)
def test_what_has_a_page_for_itself_is_accessible_and_fits_the_screen(
    card: DealCardPage, state: str, which: int
) -> None:
    WIDE[state](card)
    for width, theme in half(which, 320, 1280):
        card.page.set_viewport_size({"width": width, "height": 720})
        _holds(card, card.page.locator("body"), theme, f"{state}-{width}-{theme}")


@pytest.mark.parametrize("width", [200, 240, 280, 320])
def test_an_amount_of_many_digits_is_seen_whole_while_it_is_typed(card: DealCardPage, width: int) -> None:
    card.open().begin()
    card.page.evaluate("width => document.getElementById('widgets_block').style.width = `${width}px`", width)
    card.field("Type of payment").select_option("deposit")
    for label in ("Whole price of the deal", "Amount"):
        field = card.field(label)
        field.fill("12500000.00")
        assert field.evaluate("input => input.scrollWidth <= input.clientWidth"), label
    assert _sticks_out(card) == []


def _holds(card: DealCardPage, picture: Locator, theme: str, name: str) -> None:
    card.page.evaluate("theme => document.documentElement.dataset.colorScheme = theme", theme)
    if folder := os.environ.get("WIDGET_SHOTS"):
        picture.screenshot(path=Path(folder) / f"{name}.png")
    assert violations(card.page, ".dealpay") == []
    assert _sticks_out(card) == []


def _sticks_out(card: DealCardPage) -> list[str]:
    """Texts of nodes that reach over the widget's edge, or whose content reaches over theirs."""
    return list(
        card.widget.evaluate(
            """root => [...root.querySelectorAll('*:not(.dealpay-voice)')]
              .filter(node => node.getBoundingClientRect().right > root.getBoundingClientRect().right + 0.5
                || node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX === 'visible'
                   && node.clientWidth > 0)
              .map(node => node.className + ': ' + node.textContent)"""
        )
    )
