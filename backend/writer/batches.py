"""Many deals: one read serves five batches, and as many batches are under way as the rate needs."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping

from backend.accounts.options import options_of
from backend.accounts.setup import refresh_pipelines
from backend.accounts.tokens import calling
from backend.kommo_api.errors import KommoTooSlow, KommoUnavailable
from backend.kommo_api.values import Lead
from backend.leases import Claim, fence
from backend.models import Account
from backend.rate.sizes import Sizes
from backend.resources import Resources
from backend.writer import journal
from backend.writer.batch import write_batch

MOST = 24
"""However slow Kommo becomes: each batch under way is in doubt when a process dies."""
TOO_MUCH = (KommoTooSlow, KommoUnavailable)
"""Perhaps: it took too long, or Kommo stumbles over one of the deals, which then stands alone in the end."""


async def write_dirty(resources: Resources, claim: Claim, take_news: Callable[[], Awaitable[None]]) -> None:
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
            leads = await _read(resources, claim, under_way.leads)
            if leads is None and under_way.is_empty:
                break
            if leads is None:  # what changed while it was written may be due again
                await under_way.one_over()
                continue
            for batch in _batches(leads, resources.writes.of(claim.account_id)):
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
        await _too_much(resources, claim, resources.writes, batch)
        raise
    resources.writes.went_well(claim.account_id)


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


async def _read(resources: Resources, claim: Claim, being_written: frozenset[int]) -> dict[int, Lead] | None:
    """What is due and not under way, as it stands in Kommo; deals that are not there are done with. Nothing is due
    where shadow mode was switched on meanwhile."""
    account_id, now = claim.account_id, resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await journal.touch_expired(session, account_id, now)
        account = await session.get_one(Account, account_id)
        seen = await journal.due(session, account_id, now, being_written, resources.reads.of(account_id))
    if not seen or options_of(account).shadow:
        return None
    try:
        leads = await calling(resources, account_id, lambda api: api.leads(list(seen)))
    except TOO_MUCH:
        await _too_much(resources, claim, resources.reads, seen)
        raise
    resources.reads.went_well(account_id)
    await _know_pipelines(resources, account, leads)
    gone = seen.keys() - leads.keys()
    if gone:
        async with resources.database.write() as session:
            await fence(session, claim, resources.clock())
            await journal.gone(session, account_id, {lead_id: seen[lead_id] for lead_id in gone})
    return leads


async def _too_much(resources: Resources, claim: Claim, sizes: Sizes, leads: Collection[int]) -> None:
    sizes.too_many(claim.account_id, len(leads))
    for lead_id in leads if len(leads) == 1 else ():
        async with resources.database.write() as session:
            await fence(session, claim, resources.clock())
            await journal.stumbled(session, claim.account_id, lead_id, resources.clock())


async def _know_pipelines(resources: Resources, account: Account, leads: Mapping[int, Lead]) -> None:
    """A pipeline that was made after set-up is read before a deal in it is judged."""
    known = {pipeline["id"] for pipeline in account.pipelines}
    if any(lead.pipeline_id not in known for lead in leads.values()):
        await refresh_pipelines(resources, account.id)
