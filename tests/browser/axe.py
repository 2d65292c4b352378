"""axe-core on a part of a page."""

from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

_AXE = AXE_FILE_PATH.read_text(encoding="utf-8")


def violations(page: Page, part: str = "html") -> list[str]:
    """What shuts somebody out, as ``rule: html``; axe itself is brought into the page once."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found: Any = page.evaluate("part => axe.run(part, { resultTypes: ['violations'] })", part)
    return [f"{rule['id']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]
