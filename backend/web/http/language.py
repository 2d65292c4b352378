"""The language, of our six, that a link or a browser asks for."""

import re
from urllib.parse import urlencode

from fastapi import Request

from backend.core.i18n import LANGUAGES

FORMER = {"in": "id"}
"""The code that older Android devices send for Indonesian."""
_TAG = re.compile("([A-Za-z]{2,3})-([A-Za-z]{2}|419)")


def of_client(request: Request) -> str:
    """Return the page's language: the link's (``?lang=es``), whatever the device prefers; else the browser's."""
    return of_link(request) or preferred(request.headers.get("accept-language", ""))


def of_link(request: Request) -> str | None:
    """Return the language that the link's sender chose for its reader; None if the link names none of ours."""
    language = _asked(request).partition("-")[0].lower()
    return language if language in LANGUAGES else None


def _asked(request: Request) -> str:
    """Return ``?lang=`` as a tag with hyphens, whatever case it has: people write ``es_MX`` and ``PT-BR`` too."""
    return request.query_params.get("lang", "")[:10].replace("_", "-")


def of_page(request: Request) -> str:
    """Return the language of a page of the app: that of the signed-in user in Kommo; if we lack it, the browser's.

    ``current_visitor`` notes the user's language.
    """
    named = str(getattr(request.state, "language", "")).partition("-")[0].partition("_")[0].lower()
    return named if named in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def region_of(request: Request) -> str:
    """Return the reader's region such as ``MX``, or "".

    The link's own (``?lang=es-MX``) comes first, then the browser's first region for the language of the page.
    """
    own = _asked(request)
    named = _region(own) if of_link(request) else ""
    language, accepted = of_client(request), request.headers.get("accept-language", "")[:500]
    wishes = (part.partition(";")[0].strip() for part in accepted.split(","))
    return named or next((found for one in wishes if (found := _region(one)) and _speaks(one, language)), "")


def _region(tag: str) -> str:
    """Return ``MX`` of ``es-MX``; "" without a region."""
    found = _TAG.fullmatch(tag)
    return found[2].upper() if found else ""


def _speaks(tag: str, language: str) -> bool:
    return tag.partition("-")[0].lower() == language


def kept(request: Request, **more: str) -> str:
    """Return a query string, with ``?``, that keeps the link's language and adds ``more``; "" if there is nothing to
    keep.
    """
    language, region = of_link(request), _region(_asked(request))
    named = f"{language}-{region}" if language and region else language
    query = urlencode(more | ({"lang": named} if named else {}))
    return f"?{query}" if query else ""


def preferred(accept_language: str) -> str:
    """Return the best language of an Accept-Language header that we speak, by its quality; ``en`` if there is none."""
    best = max(_wishes(accept_language), default=(0.0, 0, "en"))
    return best[2]


def _wishes(header: str) -> list[tuple[float, int, str]]:
    """Return (quality, earlier first, language) of each language that we speak and the header does not refuse."""
    wishes = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, quality = re.sub(r"\s", "", part).lower().partition(";q=")
        language = FORMER.get(name.split("-")[0], name.split("-")[0])
        try:
            wish = float(quality or 1)
        except ValueError:
            continue
        if language in LANGUAGES and wish > 0:
            wishes.append((wish, -place, language))
    return wishes
