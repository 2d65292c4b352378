"""A set-up page as it is sent: one style sheet and at most one script of our own, nothing from another host."""

import base64
import hashlib
from typing import Any

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from backend.core.clock import as_datetime
from backend.web.http.pages import TEMPLATES

CSS = TEMPLATES.get_template("setup.css").render().strip()
PREVIEW = TEMPLATES.get_template("setup.js").render().strip()
"""For the page of one account, which does without it."""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash(CSS)}; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
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
    html = TEMPLATES.get_template(template).render(css=Markup(CSS), moment=moment, **shown)  # noqa: S704 (our own file)
    return HTMLResponse(html, status, headers=HEADERS)


def with_preview(template: str, status: int, **shown: Any) -> HTMLResponse:
    """The same with the preview's script, the only one that the browser then runs."""
    answer = rendered(template, status, script=Markup(PREVIEW), **shown)  # noqa: S704 (our own file)
    answer.headers["Content-Security-Policy"] = f"{POLICY}; script-src {_hash(PREVIEW)}"
    return answer


def moment(seconds: float) -> str:
    return f"{as_datetime(seconds):%Y-%m-%d %H:%M} UTC"
