"""The wire between the product and both worlds: every request is counted, and one of them may meet with something."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Side = Literal["kommo", "stripe"]
OURS = ("/api/", "/oauth2/", "/v1/")


@dataclass
class Passing:
    """One request of the product on its way: the ``number``-th, from 0."""

    number: int
    side: Side
    method: str
    path: str
    is_over: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.side} {self.path}"


Meeting = Callable[[Passing, ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""What a request meets with, instead of passing: it calls the world itself, or does not."""


async def pass_by(_passing: Passing, world: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await world(scope, receive, send)


@dataclass
class Wire:
    """``fate`` says what a request meets with. What was asked is in ``passed``."""

    fate: Callable[[Passing], Meeting] = lambda _passing: pass_by
    passed: list[Passing] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        return all(one.is_over for one in self.passed)

    def before(self, side: Side, world: ASGIApp) -> ASGIApp:
        """``world`` as the product meets it."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith(OURS):
                return await world(scope, receive, send)
            passing = Passing(len(self.passed), side, scope["method"], scope["path"])
            self.passed.append(passing)
            try:
                await self.fate(passing)(passing, world, scope, receive, send)
            finally:
                passing.is_over = True

        return app


def at(number: int, meeting: Meeting) -> Callable[[Passing], Meeting]:
    """The fate of one request; all others pass."""
    return lambda passing: meeting if passing.number == number else pass_by


async def hold_until_gone(receive: Receive) -> None:
    """Nothing is answered; it ends when the other side has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def body_of(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replay(body: bytes) -> Receive:
    """A request whose sender may be gone by now."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def nowhere(_message: Message) -> None:
    """An answer that nobody hears."""
