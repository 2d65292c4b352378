"""Each state at the narrowest and the widest panel, light and dark: nothing sticks out, nothing shuts anybody out.

With ``WIDGET_SHOTS=folder`` the screens are kept there.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Card
from tests.browser.states import STATES

pytestmark = pytest.mark.browser


LOOKS = [(width, theme) for width in (200, 320) for theme in ("light", "dark")]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.own_page
def test_a_state_is_accessible_and_fits_the_panel(card: Card, state: str) -> None:
    card.page.emulate_media(reduced_motion="reduce")
    card.page.set_viewport_size({"width": 1280, "height": 1000})
    STATES[state](card)
    for width, theme in LOOKS:
        _dress(card, width, theme)
        found = Axe().run(card.page, context=".dealpay")
        _keep(card, f"{state}-{width}-{theme}")
        assert found.violations_count == 0, found.generate_report()
        assert _sticks_out(card) == []


def _dress(card: Card, width: int, theme: str) -> None:
    card.page.evaluate(
        """([width, theme]) => {
          document.getElementById('widgets_block').style.width = `${width}px`;
          document.documentElement.dataset.colorScheme = theme;
        }""",
        [width, theme],
    )


def _sticks_out(card: Card) -> list[str]:
    """Texts of nodes that reach over the panel's edge."""
    return list(
        card.widget.evaluate(
            """root => [...root.querySelectorAll('*:not(.dealpay-voice)')]
              .filter(node => node.getBoundingClientRect().right > root.getBoundingClientRect().right + 0.5
                || node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX === 'visible'
                   && node.clientWidth > 0)
              .map(node => node.className + ': ' + node.textContent)"""
        )
    )


def _keep(card: Card, name: str) -> None:
    folder = os.environ.get("WIDGET_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        card.page.locator("#widgets_block .card-widgets__widget").first.screenshot(path=Path(folder) / f"{name}.png")
