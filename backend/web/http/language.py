"""Which of our six languages a link or a browser asks for."""

import re
from urllib.parse import urlencode

from fastapi import Request

from backend.core.i18n import LANGUAGES

_TAG = re.compile("([A-Za-z]{2,3})-([A-Za-z]{2}|419)")


def of_client(request: Request) -> str:
    """The link's own (``?lang=es``), whatever the telephone it is opened on; else the browser's."""
    return of_link(request) or preferred(request.headers.get("accept-language", ""))


def of_link(request: Request) -> str | None:
    """What whoever sent the link chose for its reader."""
    language = request.query_params.get("lang", "")[:10].partition("-")[0]
    return language if language in LANGUAGES else None


def region_of(request: Request) -> str:
    """The link's own (``?lang=es-MX``), else the browser's first of the language that the page speaks; "" for none."""
    own = request.query_params.get("lang", "")[:10]
    named = _region(own) if of_link(request) else ""
    language, accepted = of_client(request), request.headers.get("accept-language", "")[:500]
    wishes = (part.partition(";")[0].strip() for part in accepted.split(","))
    return named or next((found for one in wishes if (found := _region(one)) and _speaks(one, language)), "")


def _region(tag: str) -> str:
    """``"MX"`` of ``es-MX``."""
    found = _TAG.fullmatch(tag)
    return found[2].upper() if found else ""


def _speaks(tag: str, language: str) -> bool:
    return tag.partition("-")[0].lower() == language


def kept(request: Request, **more: str) -> str:
    """The query, with ``more`` in it, by which the next address of ours speaks as this one does."""
    language, region = of_link(request), _region(request.query_params.get("lang", "")[:10])
    named = f"{language}-{region}" if region else language
    query = urlencode(more | ({"lang": named} if named else {}))
    return f"?{query}" if query else ""


def preferred(accept_language: str) -> str:
    """The best of ``Accept-Language`` that we speak; English where there is none."""
    best = max(_wishes(accept_language), default=(0.0, 0, "en"))
    return best[2]


def _wishes(header: str) -> list[tuple[float, int, str]]:
    """(quality, earlier first, language) of what we speak and is not refused."""
    wishes = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, quality = part.strip().partition(";q=")
        language = name.split("-")[0].strip().lower()
        try:
            wish = float(quality or 1)
        except ValueError:
            continue
        if language in LANGUAGES and wish > 0:
            wishes.append((wish, -place, language))
    return wishes
