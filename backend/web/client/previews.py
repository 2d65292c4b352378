"""Detection of programs that fetch a link to preview or index it."""

import re

from fastapi import Request

_BOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|externalhit|facebookcatalog|whatsapp/|^viber|vkshare|embed|slurp|snippet", re.I
)
"""User agents of link previews and crawlers. Cubot is a brand of phones."""


def only_looks(request: Request) -> bool:
    """Return whether the request must change nothing: a ``HEAD``, a prefetch, a link preview or a crawler."""
    prefetch = request.headers.get("sec-purpose", request.headers.get("purpose", ""))
    agent = request.headers.get("user-agent", "")
    return request.method == "HEAD" or "prefetch" in prefetch or bool(_BOT.search(agent))
