"""Headers that every answer carries for browsers and caches, whatever route gave it."""

from collections.abc import Iterable

from starlette.types import Message, Send

ONE_YEAR = 365 * 24 * 3600
MOST_KEPT = 64
MOST_HEADERS = 2
"""Answers with more headers have some that are new each time, such as the request's id."""
Header = tuple[bytes, bytes]
ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"))
UNLESS_SAID = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
"""Defaults; a page that needs more sets its own header, which also forbids framing."""


class AnswerHeaders:
    """Adds the common headers to answers.

    ``is_https``: the public URL is https; browsers are then told to use nothing else (HSTS).
    """

    def __init__(self, is_https: bool) -> None:
        transport = ((b"strict-transport-security", b"max-age=%d" % ONE_YEAR),) if is_https else ()
        self._always = (*ALWAYS, *transport)
        self._names = frozenset(name for name, _ in self._always)
        self._kept: dict[tuple[Header, ...], list[Header]] = {}

    def around(self, send: Send) -> Send:
        """Return a ``send`` that adds the headers to the answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._added(message.get("headers", ()))
            await send(message)

        return sending

    def _added(self, headers: Iterable[Header]) -> list[Header]:
        given = tuple(headers)
        whole = self._kept.get(given)
        if whole is None:
            said = [(name, value) for name, value in given if name.lower() not in self._names]
            names = {name.lower() for name, _ in said}
            whole = [*said, *self._always, *(pair for pair in UNLESS_SAID if pair[0] not in names)]
            if len(given) <= MOST_HEADERS and len(self._kept) < MOST_KEPT:
                self._kept[given] = whole
        return list(whole)
