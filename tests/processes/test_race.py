"""Two worker processes, many accounts, and for each an event that comes when its run is nearly over."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from backend.inbox.group_commit import Inbox
from backend.storage.models import AccountWork, InboxEvent
from tests.postgres import empty_database
from tests.processes.many_accounts import Member, gather, is_paid
from tests.processes.proxy import Call
from tests.processes.workers import Workers, open_workers

SECONDS_AN_ACCOUNT = 1.0


@pytest.mark.postgres
@pytest.mark.parametrize("count", [12, pytest.param(400, marks=pytest.mark.full)])
async def test_no_event_is_stranded_and_no_account_has_two_workers(
    count: int, postgres_url: str, tmp_path: Path, anyio_backend: str
) -> None:
    with empty_database(postgres_url) as url:
        async with open_workers(url, tmp_path) as workers:
            members = await gather(workers.product, count)
            late = Late(workers, members)
            await is_paid(workers.product, late.inbox, members, 1)
            await workers.start("a")
            await workers.start("b")
            await workers.product.until(lambda: late.are_all_noted(), 20 + count * SECONDS_AN_ACCOUNT)
            await workers.product.quiet()
            assert await stranded(workers) == []
            assert [overlap for member in members for overlap in overlaps(workers.traffic.calls, member)] == []
            assert {call.process for call in workers.traffic.calls} == {"a", "b"}


class Late:
    """Sees each account's first note being posted, and has its second payment come around that moment: stored before
    the worker knows that the note is there, or in the instants in which it gives the account back."""

    def __init__(self, workers: Workers, members: Sequence[Member]) -> None:
        self._fleet, self._waiting = workers, {member.kommo.id: member for member in members}
        self._members, self._coming = members, set[asyncio.Task[None]]()
        self.inbox = Inbox(workers.product.resources.database, workers.product.resources.vault, asyncio.Event())
        workers.traffic.acted = self._look

    async def _look(self, call: Call) -> None:
        if call.path != "/api/v4/leads/notes" or call.method != "POST":
            return
        member = self._waiting.pop(call.account_id or 0, None)
        if member is None:
            return
        coming = asyncio.create_task(self._come(member, random.choice([0.0, random.uniform(0.0, 0.05)])))
        self._coming.add(coming)
        if random.random() < 0.3:
            await coming

    async def _come(self, member: Member, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await is_paid(self._fleet.product, self.inbox, [member], 2)

    def are_all_noted(self) -> bool:
        return all(len(member.kommo.notes_of(member.lead_id)) == 2 for member in self._members)


async def stranded(workers: Workers) -> list[object]:
    events = [event for event in await workers.product.rows(InboxEvent) if event.state == "new"]
    works = [work for work in await workers.product.rows(AccountWork) if work.done < work.wanted or work.owner]
    return [*events, *works]


def overlaps(calls: Sequence[Call], member: Member) -> Iterator[tuple[Call, Call]]:
    """A write of one process after anything of the other, without having read the deals itself in between; or two
    calls at the same time."""
    ours = sorted((call for call in calls if call.account_id == member.kommo.id), key=lambda call: call.begun)
    for before, after in pairwise(ours):
        if before.process != after.process and (after.is_write or after.begun < before.ended):
            yield before, after
