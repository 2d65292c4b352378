"""What every answer of ours says to browsers and to caches, whatever route gave it."""

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

ONE_YEAR = 365 * 24 * 3600
ALWAYS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
UNLESS_SAID = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
"""A page that needs more says so itself; what it says of frames is the same."""


@dataclass(frozen=True)
class AnswerHeaders:
    """``is_https``: the public address is; browsers are then told to use no other."""

    is_https: bool

    def around(self, send: Send) -> Send:
        """Returns a ``send`` that adds the headers to the answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                self._add(MutableHeaders(scope=message))
            await send(message)

        return sending

    def _add(self, headers: MutableHeaders) -> None:
        headers.update(ALWAYS)
        for name, value in UNLESS_SAID.items():
            headers.setdefault(name, value)
        if self.is_https:
            headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
