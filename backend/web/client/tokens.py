"""The token in a client's address: tidied of what a chat or a person added, and counted."""

import unicodedata
from typing import Annotated
from urllib.parse import unquote

from fastapi import Path, Request
from pydantic import AfterValidator

from backend.core.clock import Clock
from backend.resources import Resources
from backend.web.http.throttle import MinuteCounter

ADDED = ("P", "S", "Z", "Cf", "Mn")
"""Unicode's punctuation, symbols and blanks, what has no width, and marks on them: no token holds any."""
MOST_A_MINUTE = 120
"""Openings of one link; a page that waits asks twelve times a minute, and a link may stand in a group's chat."""


def tidied(token: str) -> str:
    """Returns the token in small letters without the signs around it: of ``“ABC”.`` and of ``abc%E2%80%8B`` ``abc``."""
    first, last = 0, len(token := unquote(token))
    while first < last and _is_added(token[first]):
        first += 1
    while last > first and _is_added(token[last - 1]):
        last -= 1
    return token[first:last].lower()


def _is_added(sign: str) -> bool:
    return unicodedata.category(sign).startswith(ADDED)


LinkToken = Annotated[str, Path(), AfterValidator(tidied)]


class Openings:
    """Counts how often each link is opened in the present minute, in each process by itself."""

    def __init__(self, clock: Clock) -> None:
        self._opened = MinuteCounter(clock)

    def too_many(self, token: str) -> bool:
        """Counts one; only for tokens that exist, so that made-up ones take no memory."""
        return self._opened.add(token) > MOST_A_MINUTE


def opened_links(request: Request, resources: Resources) -> Openings:
    state = request.app.state
    if not hasattr(state, "opened_links"):
        state.opened_links = Openings(resources.clock)
    counted: Openings = state.opened_links
    return counted
