"""A page of the admin's app as it is sent: one stylesheet and one script, both files of our own, nothing inline."""

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
    """Returns the page, which runs no script."""
    html = TEMPLATES.get_template(template).render(style=STYLE, moment=moment, **shown)
    return HTMLResponse(html, status, headers=HEADERS)


def with_script(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """Returns the page with our script; it works without."""
    answer = rendered(template, status, script=SCRIPT, **shown)
    answer.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'self'"
    return answer


def moment(seconds: float) -> str:
    return f"{as_datetime(seconds):%Y-%m-%d %H:%M} UTC"
