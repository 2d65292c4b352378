"""Which of our six languages a link or a browser asks for."""

from urllib.parse import urlencode

from fastapi import Request

from backend.core.i18n import LANGUAGES


def of_client(request: Request) -> str:
    """The link's own (``?lang=es``), whatever the telephone it is opened on; else the browser's."""
    return of_link(request) or preferred(request.headers.get("accept-language", ""))


def of_link(request: Request) -> str | None:
    """What whoever sent the link chose for its reader."""
    language = request.query_params.get("lang")
    return language if language in LANGUAGES else None


def kept(request: Request, **more: str) -> str:
    """The query, with ``more`` in it, by which the next address of ours speaks as this one does."""
    language = of_link(request)
    query = urlencode(more | ({"lang": language} if language else {}))
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
