"""What one process asks of the worlds: each process has a front of its own, as its proxy, and is known by it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass
class Call:
    """One request of ``process`` to a world. Times are of the monotonic clock; ``ended`` 0 = not yet."""

    process: str
    account_id: int | None
    method: str
    path: str
    begun: float
    ended: float = 0.0

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


@dataclass
class Traffic:
    """All that passed. ``holds`` says of a call whether its answer waits for ``go``; the world acts on it at once."""

    account_of: Callable[[str], int | None]
    calls: list[Call] = field(default_factory=list)
    holds: Callable[[Call], bool] = lambda _call: False
    held: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    acted: Callable[[Call], Awaitable[None]] | None = None
    """Told of each call when the world has acted on it and the process does not know yet."""

    def hold(self, holds: Callable[[Call], bool]) -> None:
        self.held.clear()
        self.go.clear()
        self.holds = holds

    def reset(self) -> None:
        self.calls.clear()
        self.holds, self.acted = lambda _call: False, None
        self.go.set()

    def of(self, process: str) -> list[Call]:
        return [call for call in self.calls if call.process == process]

    def proxy(self, process: str, worlds: Mapping[str, ASGIApp]) -> ASGIApp:
        """``worlds``: address → app. A proxy's requests name the whole address, which only ``h11`` hands on."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                raise NotImplementedError
            url = urlsplit(scope["raw_path"].decode())
            call = Call(process, self._account(scope), scope["method"], url.path, time.monotonic())
            self.calls.append(call)
            inner = dict(scope) | {"path": url.path, "raw_path": url.path.encode()}

            async def passed(message: dict[str, object]) -> None:
                if message["type"] == "http.response.start":
                    if self.acted:
                        await self.acted(call)
                    if self.holds(call):
                        self.held.set()
                        await self.go.wait()
                await send(message)

            await worlds[f"http://{url.netloc}"](inner, receive, passed)  # type: ignore[arg-type]
            call.ended = time.monotonic()

        return app

    def _account(self, scope: Scope) -> int | None:
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        return self.account_of(header.removeprefix("Bearer "))
