"""What was written is looked at again: after the settle time, an hour and a day."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event

from backend.deal_sync.verify import AT_ONCE, next_look
from backend.storage.models import Account, Audit, Deal
from backend.work_queue.wakeups import request_work
from sandbox.clock import MovableClock
from tests.world import World, open_world

SETTLE, HOUR, DAY = 60.0, 3600.0, 86400.0


@pytest.fixture(scope="module")
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="module")
async def product(clock: MovableClock, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    database = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('audit')}/audit.db"
    async with open_world(database, clock=clock, more={"settle_seconds": SETTLE}) as one:
        yield one


async def _look(product: World, clock: MovableClock, seconds: float) -> None:
    """Time passes, and what was due of the looks is over."""
    clock.advance(seconds)

    async def due() -> bool:
        return any(deal.audit_at and deal.audit_at <= clock() for deal in await product.rows(Deal))

    for _ in range(200):
        if not await due():
            break
        product.resources.work_arrived.set()
        await asyncio.sleep(0.05)
    await product.quiet()


def _lose_field(product: World, lead_id: int, code: str) -> None:
    field = product.account.field(code)
    assert field
    product.account.leads[lead_id].values.pop(field.id)


async def test_a_field_that_is_not_as_written_is_restored_once(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    _lose_field(product, lead_id, "STRIPE_AMOUNT_PAID")
    await _look(product, clock, 2 * SETTLE)
    assert product.fields(lead_id)["STRIPE_AMOUNT_PAID"] == "120"
    _lose_field(product, lead_id, "STRIPE_AMOUNT_PAID")
    await _look(product, clock, 2 * HOUR)
    assert "STRIPE_AMOUNT_PAID" not in product.fields(lead_id)
    assert [row.what for row in await product.rows(Audit) if row.what == "fields restored"] == ["fields restored"]


async def test_news_write_what_a_person_changed_twice(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    for seconds in (2 * SETTLE, 2 * HOUR):
        _lose_field(product, lead_id, "STRIPE_AMOUNT_PAID")
        await _look(product, clock, seconds)
    await product.pay(await product.link(lead_id, "30.00"))
    await product.until(lambda: product.fields(lead_id).get("STRIPE_AMOUNT_PAID") == "150")


async def test_a_note_that_was_confirmed_and_never_showed_is_posted_again(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    (note,) = product.notes(lead_id)
    del product.account.notes[note.id]
    await _look(product, clock, 2 * SETTLE)
    assert product.notes(lead_id) == []  # reads may lag
    await _look(product, clock, 2 * HOUR)
    assert [one.params["text"] for one in product.notes(lead_id)] == [note.params["text"]]


async def test_a_note_that_was_there_and_is_not_was_deleted_by_somebody(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    await _look(product, clock, 2 * SETTLE)
    del product.account.notes[product.notes(lead_id)[0].id]
    await _look(product, clock, 2 * HOUR)
    await _look(product, clock, 2 * DAY)
    assert product.notes(lead_id) == []


async def test_a_note_that_is_there_twice_says_so(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    (note,) = product.notes(lead_id)
    product.kommo.person().add_note(lead_id, note.params["text"])
    await _look(product, clock, 2 * SETTLE)
    first, second = (one.params["text"] for one in product.notes(lead_id))
    assert first == note.params["text"]
    assert "twice by mistake" in second


async def test_a_stage_is_left_where_people_put_it(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    back = product.account.main_pipeline.statuses[1].id
    product.account.leads[lead_id].status_id = back
    await _look(product, clock, 2 * SETTLE)
    await _look(product, clock, 2 * HOUR)
    assert product.account.leads[lead_id].status_id == back


async def test_deals_written_one_after_another_share_the_calls_and_the_looks_end(
    product: World, clock: MovableClock
) -> None:
    for _ in range(3):
        await product.paid_deal()
    since = len(product.kommo.requests)
    await _look(product, clock, 2 * SETTLE)
    asked = [call for call in product.kommo.requests[since:] if "/api/v4/leads" in call.path]
    assert len(asked) == 2
    await _look(product, clock, 2 * HOUR)
    await _look(product, clock, 2 * DAY)
    assert [deal.audit_at for deal in await product.rows(Deal)] == [None] * len(await product.rows(Deal))


async def test_many_deals_are_recorded_in_small_units(product: World, clock: MovableClock) -> None:
    """On SQLite a webhook waits for each of these units."""
    many = 2 * AT_ONCE + 5
    account_id = (await product.rows(Account))[0].id
    due = {"account_id": account_id, "wanted": 1, "written": 1, "audits": 2, "audit_at": clock()}
    async with product.resources.database.write() as session:
        await request_work(session, account_id)
        session.add_all(Deal(lead_id=product.lead(f"Deal {number}"), **due) for number in range(many))
    units, looked = list[int](), 0

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal looked
        looked += statement.startswith("UPDATE deal SET audit_at")

    def end(_connection: Any) -> None:
        nonlocal looked
        units.append(looked)
        looked = 0

    engine = product.resources.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", end)
    await _look(product, clock, 1)
    event.remove(engine, "before_cursor_execute", count)
    event.remove(engine, "commit", end)
    assert (sum(units), max(units)) == (many, AT_ONCE)


def test_three_looks_and_then_it_is_believed() -> None:
    looks = [next_look(1_000_000.0, audits, SETTLE) for audits in range(4)]
    assert looks == [1_000_080.0, 1_003_800.0, 1_087_200.0, None]


async def test_a_second_note_keeps_what_it_alone_says(product: World, clock: MovableClock) -> None:
    """An abandoned request was carried out after all, just before its note went out once more beside a new one."""
    lead_id = await product.paid_deal()
    await product.pay(await product.link(lead_id, "30.00"))
    await product.until(lambda: len(product.notes(lead_id)) == 2)
    await product.quiet()
    first, second = product.notes(lead_id)
    only_here = second.params["text"]
    second.params["text"] = f"{first.params['text']}\n{only_here}"
    await _look(product, clock, 2 * SETTLE)
    texts = [one.params["text"] for one in product.notes(lead_id)]
    assert texts[0] == first.params["text"]
    assert (only_here in texts[1], first.params["text"] in texts[1]) == (True, False)
    assert "twice by mistake" in texts[1]


async def test_a_second_note_that_can_not_be_changed_stops_nothing(product: World, clock: MovableClock) -> None:
    """Somebody had put it into a note of a kind that we may not write."""
    lead_id, other = await product.paid_deal(), await product.paid_deal()
    for one in (lead_id, other):
        product.kommo.person().add_note(one, product.notes(one)[0].params["text"])
    product.notes(lead_id)[1].note_type = "message_cashier"
    await _look(product, clock, 2 * SETTLE)
    assert "twice by mistake" in product.notes(other)[1].params["text"]
    assert [deal.audits for deal in await product.rows(Deal) if deal.lead_id in (lead_id, other)] == [1, 1]


async def test_an_edit_of_our_text_by_a_person_is_left_alone(product: World, clock: MovableClock) -> None:
    lead_id = await product.paid_deal()
    marker = product.notes(lead_id)[0].params["text"].partition(" ")[0]
    theirs = product.kommo.person().add_note(lead_id, f"See {marker}: call her on Monday")
    await _look(product, clock, 2 * SETTLE)
    assert theirs.params["text"] == f"See {marker}: call her on Monday"
