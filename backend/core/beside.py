"""Background jobs in this process: one queue for each key, each job at most once in it; no caller waits for them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

import structlog

Job = Callable[[], Awaitable[bool]]
"""A background job. It returns False if the jobs queued after it can't succeed either: they are dropped."""
MOST = 100
"""The largest number of jobs in one queue; a caller that finds it full tries again later."""
log = structlog.get_logger()


class Beside:
    """Queues of background jobs in this process. A job that fails is logged, and the next one starts."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, deque[tuple[str, Job]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, key: Hashable, name: str, job: Job) -> None:
        """Queue ``job`` under ``key``. It is ignored if a job of the same name is queued or running
        there, or the queue is full."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = deque()
            task = asyncio.create_task(self._work_off(key, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(line) < MOST and name not in (known for known, _ in line):
            line.append((name, job))

    async def idle(self) -> None:
        """Return when no job runs and none is queued."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Cancel the running jobs and drop the queued ones."""
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
