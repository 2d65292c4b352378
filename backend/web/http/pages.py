"""Plain pages with a title and a sentence: one template, no scripts, nothing from another host."""

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"), autoescape=select_autoescape(), trim_blocks=True
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_page(path: str) -> bool:
    """Return whether the path is one of the admin's app, where an error is a page instead of JSON."""
    return f"{path}/".startswith("/admin/") and not f"{path}/".startswith("/admin/api/")


def html(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI ``responses`` for statuses that are answered with a page, by status."""
    return {status: {"content": {"text/html": {}}, "description": "A page in words."} for status in statuses}


def page(title: str, sentence: str, *, language: str, status: int = 200) -> HTMLResponse:
    """Return a page with a title and one sentence, both in ``language``."""
    html = TEMPLATES.get_template("message.html").render(title=title, sentence=sentence, language=language)
    return HTMLResponse(html, status, headers=HEADERS)
