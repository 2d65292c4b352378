"""axe-core on a part of a page."""

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Page as AsyncPage
from playwright.sync_api import Page

_IS_HERE = "'axe' in window"
_AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
_RUN = """async part => {
  const { violations } = await axe.run(part, { resultTypes: ['violations'] });
  return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html}`));
}"""


def violations(page: Page, part: str = "html") -> list[str]:
    """What shuts somebody out, as ``rule: html``; axe itself is brought into the page once."""
    if not page.evaluate(_IS_HERE):
        page.evaluate(_AXE)
    return list(page.evaluate(_RUN, part))


async def violations_of(page: AsyncPage, part: str = "html") -> list[str]:
    """The same for a test with an event loop of its own."""
    if not await page.evaluate(_IS_HERE):
        await page.evaluate(_AXE)
    return list(await page.evaluate(_RUN, part))
