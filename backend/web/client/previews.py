"""Programs that fetch a link to show or to index it, told apart from clients."""

import re

from fastapi import Request

_BOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|externalhit|facebookcatalog|whatsapp/|^viber|vkshare|embed|slurp|snippet", re.I
)
"""Programs that fetch a link to show or to index it. Cubot makes telephones."""


def only_looks(request: Request) -> bool:
    prefetch = request.headers.get("sec-purpose", request.headers.get("purpose", ""))
    agent = request.headers.get("user-agent", "")
    return request.method == "HEAD" or "prefetch" in prefetch or bool(_BOT.search(agent))
