"""The token in a payer's address: cleaned of what a chat or a person added, and counted."""

import unicodedata
from typing import Annotated
from urllib.parse import unquote

from fastapi import Path, Request
from pydantic import AfterValidator

from backend.core.clock import Clock
from backend.resources import Resources
from backend.web.http.throttle import MinuteCounter

ADDED = ("P", "S", "Z", "Cf", "Mn")
"""Unicode's punctuation, symbols, spaces, zero-width characters and marks; tokens contain none of them, nor tabs and
line breaks.
"""
MOST_A_MINUTE = 120
"""Openings of one link; a waiting page reloads twelve times a minute, and a link may be posted in a group chat."""


def tidied(token: str) -> str:
    """Return the token in lower case without characters around it: ``abc`` for ``“ABC”.`` and ``abc%E2%80%8B``."""
    first, last = 0, len(token := unquote(token))
    while first < last and _is_added(token[first]):
        first += 1
    while last > first and _is_added(token[last - 1]):
        last -= 1
    return token[first:last].lower()


def _is_added(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign).startswith(ADDED)


LinkToken = Annotated[str, Path(), AfterValidator(tidied)]


class Openings:
    """Counts how often each link was opened in the current minute, per process."""

    def __init__(self, clock: Clock) -> None:
        self._opened = MinuteCounter(clock)

    def too_many(self, token: str) -> bool:
        """Count one opening and return whether they are too many; only for tokens that exist, so invented ones use no
        memory.
        """
        return self._opened.add(token) > MOST_A_MINUTE


def opened_links(request: Request, resources: Resources) -> Openings:
    """Return the application's counter of link openings."""
    state = request.app.state
    if not hasattr(state, "opened_links"):
        state.opened_links = Openings(resources.clock)
    counted: Openings = state.opened_links
    return counted
