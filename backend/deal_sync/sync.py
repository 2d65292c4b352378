"""Many deals: one fetch serves several batches, and as many batches run as the rate needs."""

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
"""Most batches under way, however slow Kommo is: each of them is in doubt if the process dies."""


async def sync_deals(resources: Resources, claim: Claim, take_news: Callable[[], Awaitable[None]]) -> None:
    """Write until no deal of this account is due or the process stops.

    ``take_news`` is called before each fetch, because new events make deals due. After an error that concerns the whole
    account no batch starts any more; those under way finish, and then the error is raised.
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
            if leads is None:  # a deal that changed during its write may be due again
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
    """The batches that are being written, and their deals, which no other batch may write meanwhile."""

    def __init__(self, resources: Resources, account_id: int) -> None:
        self._resources, self._account_id = resources, account_id
        self._leads: dict[asyncio.Task[None], frozenset[int]] = {}
        self._failure: BaseException | None = None

    @property
    def leads(self) -> frozenset[int]:
        """The ids of all deals that are being written."""
        return frozenset().union(*self._leads.values())

    @property
    def is_empty(self) -> bool:
        """True if no batch is under way."""
        return not self._leads

    @property
    def goes_on(self) -> bool:
        """False after a failure or once the process is stopping: no further batch may start."""
        return self._failure is None and not self._resources.stopping.is_set()

    async def room(self) -> bool:
        """Wait until fewer batches run than the rate limit can use; False if no further batch may start."""
        while self.goes_on and len(self._leads) >= self._width():
            await self.one_over()
        return self.goes_on

    def _width(self) -> int:
        """Enough batches to fill Kommo's response time, plus one that is being planned and one waiting for its slot."""
        return min(math.ceil(self._resources.pace.under_way(self._account_id)) + 2, MOST)

    def begin(self, writing: Coroutine[None, None, None], leads: Mapping[int, object]) -> None:
        """Start writing a batch; ``leads`` are its deals."""
        self._leads[asyncio.create_task(writing)] = frozenset(leads)

    async def one_over(self) -> None:
        """Wait until a batch ends; keep the first failure."""
        done, _ = await asyncio.wait(self._leads, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del self._leads[task]
            failure = asyncio.CancelledError() if task.cancelled() else task.exception()
            self._failure = self._failure or failure

    async def all_over(self) -> None:
        """Wait until all batches have ended, even if this task is cancelled again meanwhile; then raise the
        cancellation.
        """
        try:
            while self._leads:
                await self.one_over()
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.gather(*self._leads, return_exceptions=True)
            raise

    def cancel(self) -> None:
        """Cancel all batches under way."""
        for task in self._leads:
            task.cancel()

    def raise_failure(self) -> None:
        """Raise the first failure of a batch, if there was one."""
        if self._failure is not None:
            raise self._failure
