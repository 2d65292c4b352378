"""The Kommo of many accounts hangs: an account whose Kommo is well is served as if nothing had happened."""

import asyncio
import time

from sqlmodel import col, select

from backend.inbox.group_commit import Inbox
from backend.storage.models import LedgerEntry
from backend.worker.loop import MAX_ACCOUNTS
from tests.processes.many_accounts import Member, gather, is_paid
from tests.processes.workers import Workers

HANGING = 20


async def in_the_ledger(workers: Workers, members: list[Member]) -> None:
    ids = {member.kommo.id for member in members}
    async with asyncio.timeout(60):
        while True:
            async with workers.product.resources.database.read() as session:
                found = await session.exec(select(LedgerEntry.account_id).where(col(LedgerEntry.account_id).in_(ids)))
            if set(found.all()) == ids:
                return
            await asyncio.sleep(0.02)


async def test_accounts_whose_kommo_hangs_hold_up_no_other(workers: Workers) -> None:
    assert HANGING > MAX_ACCOUNTS
    product = workers.product
    *hanging, well = await gather(product, HANGING + 1)
    ids = {member.kommo.id for member in hanging}
    workers.traffic.hold(lambda call: call.account_id in ids)
    inbox = Inbox(product.resources.database, product.resources.vault, product.resources.work_arrived)
    await workers.start("a")
    await is_paid(product, inbox, hanging, 1)
    async with asyncio.timeout(60):  # each of them now waits for its Kommo, as far as there is room
        while len({call.account_id for call in workers.traffic.of("a")} & ids) < MAX_ACCOUNTS:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    started = time.monotonic()
    await is_paid(product, inbox, [well], 1)
    await in_the_ledger(workers, [well])
    ledger = time.monotonic() - started
    await product.until(lambda: well.kommo.notes_of(well.lead_id), 15)
    card = time.monotonic() - started
    print(f"in the ledger after {ledger:.2f} s, on the card after {card:.2f} s")
    assert (ledger < 2, card < 5) == (True, True)
    await in_the_ledger(workers, hanging)
