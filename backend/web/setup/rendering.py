"""A set-up page as it is sent: one style sheet of our own, no script, nothing from another host."""

import base64
import hashlib
from typing import Any

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from backend.core.clock import as_datetime
from backend.web.http.pages import TEMPLATES

CSS = TEMPLATES.get_template("setup.css").render().strip()
_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def rendered(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    html = TEMPLATES.get_template(template).render(css=Markup(CSS), moment=moment, **shown)  # noqa: S704 (our own file)
    return HTMLResponse(html, status, headers=HEADERS)


def moment(seconds: float) -> str:
    return f"{as_datetime(seconds):%Y-%m-%d %H:%M} UTC"
