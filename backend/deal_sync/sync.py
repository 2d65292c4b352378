"""Many deals: one read serves five batches, and as many batches are under way as the rate needs."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping

from backend.deal_sync.batch import write_batch
from backend.deal_sync.fetch import TOO_MUCH, read_due, too_much
from backend.deal_sync.redraw import mark_portion
from backend.kommo_api.values import Lead
from backend.resources import Resources
from backend.work_queue.leases import Claim

MOST = 24
"""However slow Kommo becomes: each batch under way is in doubt when a process dies."""


async def sync_deals(resources: Resources, claim: Claim, take_news: Callable[[], Awaitable[None]]) -> None:
    """Write until nothing of this account is due, or the process is being stopped. ``take_news`` is called now and
    then: events that come meanwhile make deals due.

    After an error of Kommo that concerns the whole account nothing is begun any more; what is under way is finished,
    and then the error is raised.
    """
    under_way = UnderWay(resources, claim.account_id)
    try:
        while under_way.goes_on:
            await take_news()
            read_at = resources.clock()
            leads = await read_due(resources, claim, under_way.leads)
            if leads is None and under_way.is_empty:
                if await mark_portion(resources, claim):
                    continue
                break
            if leads is None:  # what changed while it was written may be due again
                await under_way.one_over()
                continue
            for batch in _batches(leads, resources.pace.writes.of(claim.account_id)):
                if await under_way.room():
                    under_way.begin(_write(resources, claim, batch, read_at), batch)
    except asyncio.CancelledError:
        under_way.cancel()
        raise
    finally:
        await under_way.all_over()
    under_way.raise_failure()


def _batches(leads: dict[int, Lead], size: int) -> Iterator[dict[int, Lead]]:
    ids = list(leads)
    for start in range(0, len(ids), size):
        yield {lead_id: leads[lead_id] for lead_id in ids[start : start + size]}


async def _write(resources: Resources, claim: Claim, batch: dict[int, Lead], read_at: float) -> None:
    try:
        await write_batch(resources, claim, batch, read_at)
    except TOO_MUCH:
        await too_much(resources, claim, resources.pace.writes, batch)
        raise
    resources.pace.writes.grow(claim.account_id)


class UnderWay:
    """Batches that are being written, and the deals in them, which nobody else writes meanwhile."""

    def __init__(self, resources: Resources, account_id: int) -> None:
        self._resources, self._account_id = resources, account_id
        self._leads: dict[asyncio.Task[None], frozenset[int]] = {}
        self._failure: BaseException | None = None

    @property
    def leads(self) -> frozenset[int]:
        return frozenset().union(*self._leads.values())

    @property
    def is_empty(self) -> bool:
        return not self._leads

    @property
    def goes_on(self) -> bool:
        return self._failure is None and not self._resources.stopping.is_set()

    async def room(self) -> bool:
        """Waits until one more batch is useful; False where none is to be begun any more."""
        while self.goes_on and len(self._leads) >= self._width():
            await self.one_over()
        return self.goes_on

    def _width(self) -> int:
        """As many as Kommo's answers take to come, one that decides meanwhile, one that waits for its slot."""
        return min(math.ceil(self._resources.pace.under_way(self._account_id)) + 2, MOST)

    def begin(self, writing: Coroutine[None, None, None], leads: Mapping[int, object]) -> None:
        self._leads[asyncio.create_task(writing)] = frozenset(leads)

    async def one_over(self) -> None:
        done, _ = await asyncio.wait(self._leads, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del self._leads[task]
            failure = asyncio.CancelledError() if task.cancelled() else task.exception()
            self._failure = self._failure or failure

    async def all_over(self) -> None:
        """Not even a second cancellation leaves one behind."""
        try:
            while self._leads:
                await self.one_over()
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.gather(*self._leads, return_exceptions=True)
            raise

    def cancel(self) -> None:
        for task in self._leads:
            task.cancel()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
