"""Rendering of the app's pages: one stylesheet and one script, both our own files, nothing inline."""

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from backend.core.i18n import short_moment, texts_in
from backend.core.sentences.said import in_language
from backend.web.frame.files import SCRIPT, STYLE
from backend.web.http.language import of_page
from backend.web.http.pages import TEMPLATES, page

TEXTS = Path(__file__).parent / "texts"

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


def say(language: str, name: str, /, **values: object) -> str:
    """Return a text of the app by its name, in ``language``, with ``values`` filled in."""
    return texts_in(TEXTS, language).say(name, **{key: str(value) for key, value in values.items()})


def rendered(template: str, status: int = 200, *, language: str, **shown: Any) -> HTMLResponse:
    """Return the page from a template, with headers that allow no script.

    The template also gets ``t`` (``say``) and ``local`` (``in_language``) of ``language``.
    """
    words = {"t": partial(say, language), "local": partial(in_language, language=language)}
    html = TEMPLATES.get_template(template).render(style=STYLE, language=language, **words, **shown)
    return HTMLResponse(html, status, headers=HEADERS)


def with_script(template: str, status: int = 200, *, language: str, **shown: Any) -> HTMLResponse:
    """Return the page with our script, without which it works too."""
    answer = rendered(template, status, language=language, script=SCRIPT, **shown)
    answer.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'self'"
    return answer


def message(request: Request, title: str, sentence: str, *, status: int = 200) -> HTMLResponse:
    """Return a plain page: the text ``title`` of the app as its heading, and a sentence of the server."""
    language = of_page(request)
    return page(say(language, title), in_language(sentence, language), language=language, status=status)


def moment(seconds: float, language: str) -> str:
    """Return epoch seconds as a short date and time in UTC."""
    return f"{short_moment(seconds, 'UTC', language)} UTC"
