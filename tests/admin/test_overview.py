"""The overview's figures are the list's: every month and age adds up to the whole, in each zone."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlmodel import col

from backend.admin.overview.money import MONTHS, ages_of, month_begins, months_of
from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import page_of_lines
from backend.storage.db import Database
from backend.storage.models import Deal, PaymentLine, PaymentRequest
from tests.admin.payment_list.conftest import ZONES, live
from tests.admin.payment_list.conftest import database as database
from tests.admin.payment_list.test_sums import brought_up, list_sums
from tests.ledger.events import ACCOUNT, T0


@pytest.mark.parametrize("zone", ZONES)
def test_months_begin_at_midnight_of_the_accounts_zone_and_follow_one_another(zone: str) -> None:
    begins = month_begins(T0, ZoneInfo(zone))
    assert len(begins) == MONTHS + 1
    assert begins[-2] <= T0 < begins[-1]
    assert all(27 < (after - before) / 86400 < 32 for before, after in pairwise(begins))


async def test_the_months_of_each_currency_add_up_to_what_was_received(database: Database) -> None:
    await live(database, 5)
    await brought_up(database)
    truth = await list_sums(database)
    async with database.write() as unit:  # spread over the year
        for number, days in enumerate((5, 40, 100, 200)):
            some = (col(PaymentLine.is_payment).is_(True), col(PaymentLine.id).like(f"%{number}%"))
            await unit.exec(update(PaymentLine).where(*some).values(at=T0 - days * 86400.0))
    for zone in ZONES:
        async with database.read() as unit:
            found = await months_of(unit, ACCOUNT, livemode=True, now=T0 + 9000.0, zone=ZoneInfo(zone))
        sums = {one.currency: (sum(m.received for m in one.months), sum(m.gone for m in one.months)) for one in found}
        assert sums == {currency: figures[1:] for currency, figures in truth.items()}
        assert all(len(one.months) == MONTHS for one in found)


async def test_an_open_request_is_of_one_age_and_an_expired_one_is_not_open(database: Database) -> None:
    async with database.write() as unit:
        row = await unit.get_one(PaymentRequest, (ACCOUNT, "r1"))
        row.ended_at = T0 + 5000.0
        unit.add(row)
        for lead_id in (11, 12, 13):
            unit.add(Deal(account_id=ACCOUNT, lead_id=lead_id, wanted=1))
    await brought_up(database)
    async with database.read() as unit:
        now = [await ages_of(unit, ACCOUNT, livemode=True, now=T0 + days * 86400.0) for days in (0.01, 8, 31, 100)]
    assert [[(age.open.count, age.expired.count) for age in ages] for ages in now] == [
        [(5, 1), (0, 0), (0, 0), (0, 0)],
        [(0, 0), (5, 1), (0, 0), (0, 0)],
        [(0, 0), (0, 0), (5, 1), (0, 0)],
        [(0, 0), (0, 0), (0, 0), (5, 1)],
    ]
    assert sum(now[0][0].open.sums.values()) == 5000


async def test_what_is_overdue_is_open_and_both_are_counted(database: Database) -> None:
    async with database.write() as unit:
        row = await unit.get_one(PaymentRequest, (ACCOUNT, "r0"))
        row.due_on = "2027-01-20"  # T0 is 2027-01-15
        unit.add(row)
        unit.add(Deal(account_id=ACCOUNT, lead_id=11, wanted=1))
    await brought_up(database)
    async with database.read() as unit:
        before = await ages_of(unit, ACCOUNT, livemode=True, now=T0 + 1.0)
        after = await ages_of(unit, ACCOUNT, livemode=True, now=T0 + 6.5 * 86400.0)
        page = await page_of_lines(unit, ACCOUNT, Filter(livemode=True, state="overdue"), T0 + 6.5 * 86400.0, None)
    assert [(age.open.count, age.overdue.count) for age in (before[0], after[0])] == [(2, 0), (2, 1)]
    assert [line.id for line in page.lines] == ["r0"]
