"""Rendering of the app's pages: one stylesheet and one script, both our own files, nothing inline."""

from typing import Any

from fastapi.responses import HTMLResponse

from backend.core.clock import as_datetime
from backend.web.frame.files import SCRIPT, STYLE
from backend.web.http.pages import TEMPLATES

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def rendered(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """Return the page from a template, with headers that allow no script."""
    html = TEMPLATES.get_template(template).render(style=STYLE, moment=moment, **shown)
    return HTMLResponse(html, status, headers=HEADERS)


def with_script(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """Return the page with our script, without which it works too."""
    answer = rendered(template, status, script=SCRIPT, **shown)
    answer.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'self'"
    return answer


def moment(seconds: float) -> str:
    """Return epoch seconds as ``YYYY-MM-DD HH:MM UTC``."""
    return f"{as_datetime(seconds):%Y-%m-%d %H:%M} UTC"
