"""What every answer of ours says to browsers and to caches, whatever route gave it."""

from collections.abc import Iterable

from starlette.types import Message, Send

ONE_YEAR = 365 * 24 * 3600
ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"))
UNLESS_SAID = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
"""A page that needs more says so itself; what it says of frames is the same."""


class AnswerHeaders:
    """``is_https``: the public address is; browsers are then told to use no other."""

    def __init__(self, is_https: bool) -> None:
        transport = ((b"strict-transport-security", b"max-age=%d" % ONE_YEAR),) if is_https else ()
        self._always = (*ALWAYS, *transport)
        self._names = frozenset(name for name, _ in self._always)

    def around(self, send: Send) -> Send:
        """Returns a ``send`` that adds the headers to the answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._added(message.get("headers", ()))
            await send(message)

        return sending

    def _added(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        said = [(name, value) for name, value in headers if name.lower() not in self._names]
        names = {name.lower() for name, _ in said}
        return [*said, *self._always, *(pair for pair in UNLESS_SAID if pair[0] not in names)]
