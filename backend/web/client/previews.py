"""Detection of programs that fetch a link to preview or index it."""

import re

from fastapi import Request

_BOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|external(?:hit|agent|fetcher)|facebookcatalog|whatsapp/|^viber|vkshare|embed"
    r"|slurp|snippet",
    re.I,
)
"""User agents of link previews and crawlers. Cubot is a brand of phones."""
PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
"""Headers by which browsers, older ones too, say that nobody has pressed the link yet."""


def only_looks(request: Request) -> bool:
    """Return whether the request must change nothing: a ``HEAD``, a prefetch, a link preview or a crawler."""
    purpose = " ".join(request.headers.get(name, "") for name in PURPOSES).lower()
    agent = request.headers.get("user-agent", "")
    is_early = "prefetch" in purpose or "preview" in purpose
    return request.method == "HEAD" or is_early or bool(_BOT.search(agent))
