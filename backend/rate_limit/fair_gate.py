"""Order of this process's calls: accounts in rotation, and within an account people before the backlog.

While an account's backlog waits, it gets every third slot of the account, so that people cannot starve it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PEOPLE_IN_ROW = 2
Waiter = asyncio.Future[None]


@dataclass
class _Line:
    """The waiting calls of one account, each kind in order of arrival."""

    people: deque[Waiter] = field(default_factory=deque)
    backlog: deque[Waiter] = field(default_factory=deque)
    people_in_row: int = 0

    def __bool__(self) -> bool:
        return bool(self.people or self.backlog)

    def next(self) -> Waiter:
        if self.backlog and (not self.people or self.people_in_row >= PEOPLE_IN_ROW):
            self.people_in_row = 0
            return self.backlog.popleft()
        self.people_in_row += 1
        return self.people.popleft()


class FairGate:
    """Lets one caller at a time pass, in the order that the module describes."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}
        self._is_taken = False

    @asynccontextmanager
    async def turn(self, account: int, *, backlog: bool) -> AsyncIterator[None]:
        """Hold the gate inside the block. ``backlog``: no person waits for this call."""
        await self._enter(account, backlog)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, account: int, backlog: bool) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        line = self._lines.setdefault(account, _Line())
        waiter: Waiter = asyncio.get_running_loop().create_future()
        kind = line.backlog if backlog else line.people
        kind.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in kind:
                kind.remove(waiter)
            elif not waiter.cancelled():  # it was this waiter's turn, so the next one goes
                self._leave()
            raise

    def _leave(self) -> None:
        waiter = self._next()
        if waiter is None:
            self._is_taken = False
        else:
            waiter.set_result(None)

    def _next(self) -> Waiter | None:
        """The next waiter, or None. Its account moves to the end of the rotation, or leaves it if nobody else waits."""
        while self._lines:
            account = next(iter(self._lines))
            line = self._lines.pop(account)
            while line:
                waiter = line.next()
                if not waiter.done():
                    if line:
                        self._lines[account] = line
                    return waiter
        return None
