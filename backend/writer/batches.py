"""Many deals: one read serves five batches, and as many batches are under way as the rate needs."""

import asyncio
import math
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass

from backend.accounts.setup import refresh_pipelines
from backend.accounts.tokens import calling
from backend.kommo_api.values import Lead
from backend.leases import Claim, fence
from backend.resources import Resources
from backend.writer import journal
from backend.writer.batch import SIZE, write_batch
from backend.writer.journal import Later, Page
from backend.writer.settle import settle

MOST = 24
"""However slow Kommo becomes: each batch under way is in doubt when a process dies."""


@dataclass(frozen=True)
class Read:
    """Deals as Kommo and the ledger have them now, 250 at the most."""

    page: Page
    leads: dict[int, Lead]
    later: dict[int, Later]

    def batches(self) -> Iterator["Read"]:
        ids = list(self.leads)
        for start in range(0, len(ids), SIZE):
            part = ids[start : start + SIZE]
            leads = {lead_id: self.leads[lead_id] for lead_id in part}
            later = {lead_id: self.later[lead_id] for lead_id in part if lead_id in self.later}
            yield Read(self.page.part(part), leads, later)


async def write_dirty(resources: Resources, claim: Claim) -> None:
    """Write until nothing of this account is due, or the process is being stopped.

    After an error of Kommo that concerns the whole account nothing is begun any more; what is under way is finished,
    and then the error is raised.
    """
    under_way = UnderWay(resources, claim.account_id)
    try:
        while under_way.goes_on:
            read = await _read(resources, claim, under_way.leads)
            if read is None and under_way.is_empty:
                break
            if read is None:  # what changed while it was written may be due again
                await under_way.one_over()
                continue
            for batch in read.batches():
                if await under_way.room():
                    writing = write_batch(resources, claim, batch.page, batch.leads, batch.later)
                    under_way.begin(writing, batch.leads)
    except asyncio.CancelledError:
        under_way.cancel()
        raise
    finally:
        await under_way.all_over()
    under_way.raise_failure()


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


async def _read(resources: Resources, claim: Claim, being_written: frozenset[int]) -> Read | None:
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        await journal.touch_expired(session, claim.account_id, now)
    async with resources.database.read() as session:
        page = await journal.read_page(session, claim.account_id, now, being_written)
    if page is None:
        return None
    wanted = list(page.seen)
    leads = await calling(resources, claim.account_id, lambda api: api.leads(wanted))
    page = await _known_pipelines(resources, page, leads)
    later = {lead_id: Later(at) for lead_id, at in (await settle(resources, claim, page, leads)).items()}
    await _record_gone(resources, claim, page, leads)
    return Read(page, leads, later)


async def _record_gone(resources: Resources, claim: Claim, page: Page, leads: Mapping[int, Lead]) -> None:
    gone = page.seen.keys() - leads.keys()
    if not gone:
        return
    async with resources.database.write() as session:
        await fence(session, claim, resources.clock())
        for lead_id in gone:
            await journal.gone(session, page, lead_id)


async def _known_pipelines(resources: Resources, page: Page, leads: Mapping[int, Lead]) -> Page:
    """A pipeline that was made after set-up is read before a deal in it is judged."""
    known = {pipeline["id"] for pipeline in page.account.pipelines}
    if all(lead.pipeline_id in known for lead in leads.values()):
        return page
    account = await refresh_pipelines(resources, page.account.id)
    return Page(account, page.seen, page.ledgers, page.writes)
