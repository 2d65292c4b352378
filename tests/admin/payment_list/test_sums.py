"""The list, its sums and its file are the ledger, to the unit, whatever lives the payments had."""

import csv
import io
import tracemalloc
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.admin.payment_list.csv_file import COLUMNS, file_of
from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import STREAMED, all_lines, page_of_lines
from backend.admin.payment_list.refresh import deals_behind, list_next
from backend.admin.payment_list.sums import page_and_sums, sums_of
from backend.core.money import as_decimal
from backend.ledger.load import load_deals
from backend.storage.db import Database
from backend.storage.models import Account, Deal, PaymentLine, PaymentRequest
from backend.web.finance.asked import read_asked
from backend.work_queue.wakeups import mark_dirty
from tests.admin.payment_list.conftest import ZONES, live
from tests.ledger.events import ACCOUNT, T0

NOW = T0 + 9000.0
LIVE = Filter(livemode=True)


async def brought_up(database: Database) -> None:
    while await list_next(database, ACCOUNT, NOW):
        pass


async def ledger_sums(database: Database) -> dict[str, tuple[int, int, int]]:
    """Currency → (payments, gross, gone), as the deals' own ledgers sum them up."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    async with database.read() as unit:
        leads = (await unit.exec(select(Deal.lead_id).where(Deal.account_id == ACCOUNT))).all()
        account = await unit.get_one(Account, ACCOUNT)
        for ledger in (await load_deals(unit, account, leads, NOW)).values():
            for one in ledger.sums:
                found[one.currency][1] += one.gross
                found[one.currency][2] += one.refunded
            for payment in ledger.received_anywhere:
                found[payment.currency][0] += 1
    return {currency: (one[0], one[1], one[2]) for currency, one in found.items() if any(one)}


async def list_sums(database: Database, wanted: Filter = LIVE) -> dict[str, tuple[int, int, int]]:
    async with database.read() as unit:
        sums = await sums_of(unit, ACCOUNT, wanted, NOW)
    return {one.currency: (one.payments, one.received, one.gone) for one in sums if one.payments}


async def pages(database: Database, wanted: Filter, size: int) -> list[PaymentLine]:
    lines: list[PaymentLine] = []
    place = None
    while True:
        async with database.read() as unit:
            page = await page_of_lines(unit, ACCOUNT, wanted, NOW, place, size)
        lines += page.lines
        if page.next is None:
            return lines
        place = page.next


async def rows_of_file(database: Database, wanted: Filter, zone: str = "UTC") -> list[dict[str, str]]:
    async with database.read() as unit:
        account = await unit.get_one(Account, ACCOUNT)
    account.timezone = zone
    text = "".join([part async for part in file_of(database, account, wanted, {}, NOW)])
    assert text.startswith("\ufeff" + ",".join(COLUMNS) + "\r\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def summed(lines: Sequence[PaymentLine]) -> dict[str, tuple[int, int, int]]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in lines:
        if line.is_payment:
            one = found[line.currency]
            one[0], one[1], one[2] = one[0] + 1, one[1] + line.amount, one[2] + line.gone
    return {currency: (one[0], one[1], one[2]) for currency, one in found.items()}


SEEDS = [range(1, 3), pytest.param(range(3, 60), marks=pytest.mark.full)]


@pytest.mark.parametrize("seeds", SEEDS)
async def test_rows_pages_sums_and_file_are_the_ledgers_own_sums(database: Database, seeds: range) -> None:
    """In four currencies, of which one has no decimals and one has three, and in six zones."""
    truth: dict[str, tuple[int, int, int]] = {}
    for seed in seeds:
        await live(database, seed, deeds=90)
        await brought_up(database)
        truth = await ledger_sums(database)
        assert await list_sums(database) == truth, seed
        for size in (7, 1000):  # the list on many pages, and on one
            async with database.read() as unit:
                _, sums = await page_and_sums(unit, ACCOUNT, LIVE, NOW, size=size)
                assert list(sums) == list(await sums_of(unit, ACCOUNT, LIVE, NOW)), seed
        lines = await pages(database, LIVE, 7)
        assert summed(lines) == truth, seed
        for zone in ZONES:
            assert summed_file(await rows_of_file(database, LIVE, zone)) == in_major_units(truth), (seed, zone)
            assert await sums_by_day(database, lines, zone) == truth, (seed, zone)
    assert truth.keys() == CURRENCIES


CURRENCIES = {"EUR", "USD", "JPY", "KWD"}


def in_major_units(sums: dict[str, tuple[int, int, int]]) -> dict[str, tuple[int, Decimal, Decimal, Decimal]]:
    """Currency → (payments, gross, gone, net), as a file writes them."""
    return {
        currency: (count, as_decimal(gross, currency), as_decimal(gone, currency), as_decimal(gross - gone, currency))
        for currency, (count, gross, gone) in sums.items()
    }


def summed_file(rows: list[dict[str, str]]) -> dict[str, tuple[int, Decimal, Decimal, Decimal]]:
    found: dict[str, tuple[int, Decimal, Decimal, Decimal]] = {}
    for row in rows:
        if row["type"] == "payment":
            count, *sums = found.get(row["currency"], (0, Decimal(0), Decimal(0), Decimal(0)))
            amount, gone, net = (Decimal(row[name]) + one for name, one in zip(PARTS, sums, strict=True))
            found[row["currency"]] = (count + 1, amount, gone, net)
    return found


PARTS = ("amount", "returned", "net")


def _read(named: dict[str, str], zone: str) -> Filter:
    return read_asked(named, livemode=True, timezone=zone).wanted


async def sums_by_day(database: Database, lines: Sequence[PaymentLine], zone: str) -> dict[str, tuple[int, int, int]]:
    """The sums of each of the zone's days, as the page's filter names a day, added up."""
    found: dict[str, tuple[int, int, int]] = {}
    for day in sorted({datetime.fromtimestamp(line.at, ZoneInfo(zone)).date() for line in lines}):
        named = {"since": day.isoformat(), "until": day.isoformat()}
        for currency, figures in (await list_sums(database, _read(named, zone))).items():
            before = found.get(currency, (0, 0, 0))
            found[currency] = (before[0] + figures[0], before[1] + figures[1], before[2] + figures[2])
    return found


async def test_a_filter_splits_the_list_and_its_parts_sum_up_to_the_whole(database: Database) -> None:
    await live(database, 5)
    await brought_up(database)
    truth = await ledger_sums(database)
    by_currency = [await list_sums(database, Filter(livemode=True, currency=one)) for one in truth]
    assert [list(one) for one in by_currency] == [[one] for one in truth]
    lines = await pages(database, LIVE, 50)
    middle = lines[len(lines) // 2].at
    early, late = Filter(livemode=True, until=middle), Filter(livemode=True, since=middle)
    for currency, figures in truth.items():
        parts = [(await list_sums(database, one)).get(currency, (0, 0, 0)) for one in (early, late)]
        assert tuple(map(sum, zip(*parts, strict=True))) == figures
    assert await list_sums(database, Filter(livemode=False)) == {}


async def test_pages_of_any_size_name_each_line_once_newest_first(database: Database) -> None:
    await live(database, 7)
    await brought_up(database)
    whole = await pages(database, LIVE, 10_000)
    assert len({(line.lead_id, line.id) for line in whole}) == len(whole) > 5
    assert [line.at for line in whole] == sorted((line.at for line in whole), reverse=True)
    for size in (1, 3, 10):
        assert [(one.lead_id, one.id) for one in await pages(database, LIVE, size)] == [
            (one.lead_id, one.id) for one in whole
        ]


async def test_a_change_is_counted_as_missing_until_it_is_listed(database: Database) -> None:
    await live(database, 3, deeds=20)
    async with database.read() as unit:
        assert await deals_behind(unit, ACCOUNT) > 0
    await brought_up(database)
    async with database.read() as unit:
        assert await deals_behind(unit, ACCOUNT) == 0
    before = await list_sums(database)
    await live(database, 4, deeds=20)
    assert await list_sums(database) == before
    await brought_up(database)
    assert await list_sums(database) == await ledger_sums(database)


class Between:
    """A database in which something happens between what is read and what is written from it."""

    def __init__(self, database: Database, happens: Callable[[], Awaitable[None]]) -> None:
        self.read = database.read
        self._write, self._happens = database.write, happens

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        await self._happens()
        async with self._write() as unit:
            yield unit


async def test_what_changes_while_it_is_listed_is_listed_once_more(database: Database) -> None:
    await live(database, 6, deeds=20)
    happening = Between(database, lambda: live(database, 8, deeds=40))
    await list_next(cast("Database", happening), ACCOUNT, NOW)
    async with database.read() as unit:
        assert await deals_behind(unit, ACCOUNT) > 0
    await brought_up(database)
    assert await list_sums(database) == await ledger_sums(database)


async def test_a_request_whose_link_ended_is_expired_and_not_open(database: Database) -> None:
    async with database.write() as unit:
        for lead_id in (11, 12, 13):
            unit.add(Deal(account_id=ACCOUNT, lead_id=lead_id, wanted=1))
    await brought_up(database)
    assert [len(await pages(database, Filter(livemode=True, state=one), 50)) for one in ("open", "expired")] == [6, 0]
    async with database.write() as unit:
        row = await unit.get_one(PaymentRequest, (ACCOUNT, "r1"))
        row.ended_at = T0 + 5000.0
        unit.add(row)
    async with database.write() as unit:
        await mark_dirty(unit, ACCOUNT, [12], NOW)
    await brought_up(database)
    assert [len(await pages(database, Filter(livemode=True, state=one), 50)) for one in ("open", "expired")] == [5, 1]


async def test_the_file_runs_nothing_and_writes_times_in_both_zones(database: Database) -> None:
    await live(database, 11, deeds=0)
    async with database.write() as unit:
        unit.add(Deal(account_id=ACCOUNT, lead_id=11, wanted=1))
    await brought_up(database)
    rows = await rows_of_file(database, LIVE, "Asia/Kathmandu")
    assert {row["description"][:6] for row in rows} == {"'=Sofa"}
    for row in rows:
        utc, local = datetime.fromisoformat(row["time_utc"]), datetime.fromisoformat(row["time_account"])
        assert (utc, row["time_utc"][-1], row["time_account"][-6:]) == (local, "Z", "+05:45")


def many(count: int) -> list[PaymentLine]:
    return [
        PaymentLine(
            account_id=ACCOUNT, lead_id=number % 97, id=f"pi_{number:06}", is_payment=True, livemode=True,
            at=T0 + number // 3,
            currency=("EUR", "USD", "JPY", "KWD")[number % 4], amount=100 + number, state="paid", what="single",
            words=f"sofa {number}",
        )
        for number in range(count)
    ]  # fmt: skip


async def test_a_search_that_finds_one_page_reads_the_list_once(database: Database) -> None:
    async with database.write() as unit:
        unit.add_all(many(200))
    said: list[str] = []

    def hear(*given: Any) -> None:
        said.append(given[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    for words, statements in ((("sofa", "177"), 1), (("nowhere",), 1), (("sofa",), 2)):
        said.clear()
        async with database.read() as unit:
            page, sums = await page_and_sums(unit, ACCOUNT, Filter(livemode=True, words=words), NOW)
        assert sum("payment_line" in one for one in said) == statements
        assert sum(one.payments for one in sums) == {"177": 1, "nowhere": 0, "sofa": 200}[words[-1]]
        assert len(page.lines) == min(50, sum(one.payments for one in sums))


@pytest.mark.parametrize("count", [1300, pytest.param(60_000, marks=pytest.mark.full)])
async def test_the_file_is_read_in_portions_and_holds_no_unit_of_work_between_them(
    database: Database, count: int
) -> None:
    async with database.write() as unit:
        unit.add_all(many(count))
    sizes: list[int] = []
    async for lines in all_lines(database, ACCOUNT, LIVE, NOW):
        async with database.write() as unit:  # a reader that is slow keeps nobody from writing
            await unit.exec(update(PaymentLine).where(col(PaymentLine.id) == lines[0].id).values(gone=1))
        sizes.append(len(lines))
    assert (sum(sizes), max(sizes)) == (count, STREAMED)
    tracemalloc.start()
    written = 0
    async for part in file_of(database, await account_row(database), LIVE, {}, NOW):
        written += part.count("\r\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written == count + 1
    assert peak < 12_000_000


async def account_row(database: Database) -> Account:
    async with database.read() as unit:
        return await unit.get_one(Account, ACCOUNT)
