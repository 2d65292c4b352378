"""axe-core on a part of a page."""

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

_AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
_RUN = """async part => {
  const { violations } = await axe.run(part, { resultTypes: ['violations'] });
  return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html}`));
}"""


def violations(page: Page, part: str = "html") -> list[str]:
    """What shuts somebody out, as ``rule: html``; axe itself is brought into the page once."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    return list(page.evaluate(_RUN, part))
