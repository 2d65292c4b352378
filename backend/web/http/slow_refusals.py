"""Delay of refusals to an address that gets very many, whatever route refuses.

Plain ASGI, inside the request log. Answers other than refusals are never delayed, so people who share an address with
an attacker are served as before.
"""

import asyncio

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.clock import Clock
from backend.web.http.throttle import MinuteCounter, address_of

REFUSALS = frozenset({400, 401, 403, 404, 405, 422, 429})
MOST_A_MINUTE = 200
"""Far more than a whole office gets."""
SECONDS = 1.0


class SlowRefusals:
    """ASGI middleware that counts refusals per address and minute; beyond ``most`` each one waits for ``seconds``."""

    def __init__(self, app: ASGIApp, clock: Clock, *, most: int = MOST_A_MINUTE, seconds: float = SECONDS) -> None:
        self._app = app
        self._refused = MinuteCounter(clock)
        self._most, self._seconds = most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, delaying its answer if it is one refusal too many."""

        async def slowed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in REFUSALS:
                await self._count(scope)
            await send(message)

        await self._app(scope, receive, slowed if scope["type"] == "http" else send)

    async def _count(self, scope: Scope) -> None:
        if self._refused.add(address_of(HTTPConnection(scope))) > self._most:
            await asyncio.sleep(self._seconds)
