"""An async context beside Playwright's sync API, which can't live in a running event loop."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def threaded(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What ``context`` yields, entered and left in a thread with an event loop of its own."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    entered: Future[T] = Future()

    async def stay() -> None:
        try:
            async with context as value:
                entered.set_result(value)
                await stop.wait()
        except Exception as error:
            if entered.done():
                raise
            entered.set_exception(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(stay(),), daemon=True)
    thread.start()
    try:
        yield entered.result(30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
