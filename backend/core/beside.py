"""Work that runs beside what asked for it: in one line for each key, each job once, nothing waits for it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

import structlog

Job = Callable[[], Awaitable[bool]]
"""Returns False where the jobs that wait behind it have no prospects either: they are dropped."""
MOST = 100
"""The most jobs that wait in one line; a caller that is refused tries again later."""
log = structlog.get_logger()


class Beside:
    """Lines of jobs in this process. A job that fails is logged, and the next one begins."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, deque[tuple[str, Job]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, key: Hashable, name: str, job: Job) -> None:
        """Run ``job`` after those of the same key; nothing where one of its name is there already, or no room."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = deque()
            task = asyncio.create_task(self._work_off(key, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(line) < MOST and name not in (known for known, _ in line):
            line.append((name, job))

    async def idle(self) -> None:
        """Returns when nothing runs and nothing waits."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Cancel what runs; what waits is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work_off(self, key: Hashable, line: deque[tuple[str, Job]]) -> None:
        try:
            while line:
                name, job = line[0]
                if not await _quietly(name, job):
                    return
                line.popleft()
        finally:
            del self._lines[key]


async def _quietly(name: str, job: Job) -> bool:
    try:
        return await job()
    except Exception:
        log.exception("background job failed", job=name)
        return True
