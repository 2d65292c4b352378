"""A deal enters a stage with a rule: it is asked for its payment, once, and whatever stands in the way is a task."""

import asyncio
from typing import Any

import pytest

from backend.automation.rules.entry import request_id
from backend.deal_sync.merges.feed import look_for_merges
from backend.storage.models import MergedDeal, PaymentRequest, StageEntry
from sandbox.clock import MovableClock
from sandbox.stripe import Payer
from tests.automation.rules.stage import Stage, add_action, stages_of
from tests.world import World


async def _entries(product: World, most: int = 1) -> list[StageEntry]:
    """The entries, once so many are there and all of them are worked on."""
    for _ in range(1_500):
        found: list[StageEntry] = await product.rows(StageEntry)
        if len(found) >= most and all(one.state == "done" for one in found):
            return sorted(found, key=lambda one: one.received_at)
        await asyncio.sleep(0.02)
    raise AssertionError(f"not worked on: {found}")


async def _asked(product: World) -> list[tuple[int, int, str]]:
    rows: list[PaymentRequest] = await product.rows(PaymentRequest)
    return [(row.lead_id, row.amount, row.description) for row in rows if row.session_n]


def _sessions(product: World) -> list[dict[str, Any]]:
    """In live mode, oldest first."""
    return list(product.stripe.default_account.shelves[True].objects.get("checkout.session", {}).values())


def _tasks(product: World, lead_id: int) -> list[str]:
    return [task.text for task in product.account.tasks_of(lead_id)]


@pytest.mark.parametrize("body", ["form", "json"])
async def test_a_deal_that_is_moved_to_the_stage_is_asked_for_its_price(product: World, body: str) -> None:
    product.kommo.switches.set("dp_body", body)
    stage = await add_action(product, description="For {deal}")
    lead_id = stage.deal(300, name="Sofa")
    stage.move(lead_id)
    (entry,) = await _entries(product)
    assert (entry.outcome, await _asked(product)) == ("asked", [(lead_id, 30_000, "For Sofa")])
    assert entry.request_id == request_id(product.account.id, lead_id, entry.root_id, entry.entered_at or 0.0)
    await product.until(lambda: product.fields(lead_id).get("STRIPE_PAYMENT_LINK"))
    assert _tasks(product, lead_id) == []


@pytest.mark.parametrize("reading", [{}, {"dp_time": "absent"}, {"events_feed": "403"}, {"dp_type": "14"}])
async def test_the_same_entry_told_again_makes_no_second_request(product: World, reading: dict[str, str]) -> None:
    """Repeated at once and after half an hour, and however the moment of the entry is found out."""
    for name, value in reading.items():
        product.kommo.switches.set(name, value)
    stage = await add_action(product)
    lead_id = stage.deal()
    stage.move(lead_id)
    await _entries(product)
    sent = next(one for one in product.kommo.sent if one.kind == "digital_pipeline")
    for _ in range(2):
        await product.http.post(sent.url, data=sent.body)
        product.clock.advance(1800)
    await product.quiet()
    await _entries(product)
    assert len(await _asked(product)) == 1
    await product.pay(product.fields(lead_id)["STRIPE_PAYMENT_LINK"])
    await product.quiet()
    await product.http.post(sent.url, data=sent.body)
    await _entries(product)
    assert (len(await _asked(product)), _tasks(product, lead_id)) == (1, [])


async def test_a_deal_that_comes_again_is_a_new_entry_and_uses_the_link_that_is_open(
    product: World, clock: MovableClock
) -> None:
    stage = await add_action(product)
    lead_id = stage.deal()
    stage.move(lead_id)
    await _entries(product)
    product.kommo.person().move_lead(lead_id, stages_of(product)[0])
    clock.advance(3600)
    stage.move(lead_id)
    assert [one.outcome for one in await _entries(product, 2)] == ["asked", "used_again"]
    assert len(await _asked(product)) == 1


async def test_a_deal_that_left_the_stage_before_it_was_read_is_asked_for_nothing(product: World) -> None:
    stage = await add_action(product)
    lead_id = stage.deal()
    product.kommo.faults.add("500_json", path="/api/v4/leads", times=1)
    stage.move(lead_id)
    product.kommo.person().move_lead(lead_id, stages_of(product)[0])
    (entry,) = await _entries(product)
    assert (entry.outcome, await _asked(product)) == ("left", [])


OBSTACLES: list[Any] = [
    ({"price": 0}, {}, "no_price", "no price"),
    ({"contact": False}, {}, "no_contact", "no contact"),
    ({"price": 1}, {"amount": "percent", "percent": 1}, "too_small", "less than Stripe's minimum"),
    ({}, {"amount": "field", "field_id": 99}, "no_amount", "empty"),
]


@pytest.mark.parametrize(("deal", "settings", "word", "said"), OBSTACLES)
async def test_what_stands_in_the_way_is_one_task_that_names_it(
    product: World, deal: dict[str, Any], settings: dict[str, Any], word: str, said: str
) -> None:
    stage = await add_action(product, **settings)
    lead_id = stage.deal(**deal)
    stage.move(lead_id)
    (entry,) = await _entries(product)
    await product.quiet()
    (text,) = _tasks(product, lead_id)
    assert (entry.outcome, said in text, await _asked(product)) == (word, True, [])
    (line,) = (await product.rep.deal(lead_id))["log"]
    assert said in line


async def test_what_stood_in_the_way_is_closed_once_the_payment_is_asked_for(
    product: World, clock: MovableClock
) -> None:
    stage = await add_action(product)
    lead_id = stage.deal(0)
    stage.move(lead_id)
    await _entries(product)
    product.kommo.person().move_lead(lead_id, stages_of(product)[0])
    product.kommo.person().edit_lead(lead_id, price=50)
    clock.advance(600)
    stage.move(lead_id)
    await _entries(product, 2)
    await product.until(lambda: all(task.is_completed for task in product.account.tasks_of(lead_id)))
    assert [amount for _, amount, _ in await _asked(product)] == [5_000]


async def test_our_own_move_is_no_entry(product: World) -> None:
    """A payment moves the deal to a stage that has a rule."""
    stage = await add_action(product, place=2, amount="open")
    pipeline = next(iter(product.account.pipelines))
    path = f"{product.url}/admin/api/accounts/{product.account.id}/stages"
    chosen = {str(pipeline): {"first": stage.status_id}}
    assert (await product.http.put(path, json=chosen, headers=product.admin)).status_code == 200
    lead_id = stage.deal(300)
    link = await product.link(lead_id, "100.00", kind="deposit", deal_total="300.00")
    await product.pay(link)
    (entry,) = await _entries(product)
    assert product.deal(lead_id)["status_id"] == stage.status_id
    assert (entry.outcome, len(await _asked(product))) == ("own_move", 1)


async def test_an_old_moment_asks_for_nothing(product: World, clock: MovableClock) -> None:
    stage = await add_action(product, hours=2)
    lead_id = stage.deal()
    product.account.triggers.clear()
    stage.move(lead_id)
    clock.advance(3 * 3600)
    await _tell(stage, lead_id)
    (entry,) = await _entries(product)
    assert (entry.outcome, await _asked(product), _tasks(product, lead_id)) == ("late", [], [])


async def test_another_amount_takes_the_place_of_an_unpaid_link_only_where_the_rule_says_so(product: World) -> None:
    stage = await add_action(product)
    keep, give_way = stage.deal(), stage.deal()
    await product.link(keep, "100.00")
    stage.move(keep)
    (kept,) = await _entries(product)
    assert kept.outcome == "asked_otherwise"
    replacing = await add_action(product, place=2, replace=True)
    await product.link(give_way, "100.00")
    replacing.move(give_way)
    assert (await _entries(product, 2))[-1].outcome == "asked"
    assert [one["status"] for one in _sessions(product)] == ["open", "expired", "open"]


async def test_a_payment_under_way_stops_everything(product: World) -> None:
    stage = await add_action(product, replace=True)
    lead_id = stage.deal()
    await product.pay(await product.link(lead_id, "100.00"), Payer("delayed"))
    await product.quiet()
    stage.move(lead_id)
    (entry,) = await _entries(product)
    assert (entry.outcome, len(await _asked(product))) == ("under_way", 1)


async def _tell(stage: Stage, lead_id: int, **more: Any) -> int:
    """A hook as Kommo would send it; the status of our answer."""
    account = stage.world.account
    lead = account.leads[lead_id]
    said = {
        "event[type]": "15",
        "event[data][id]": str(lead_id),
        "event[data][element_type]": "2",
        "event[data][status_id]": str(lead.status_id),
        "event[data][pipeline_id]": str(lead.pipeline_id),
        "event[data][direction_of_movement]": "went_to_trigger",
        "event[time]": str(int(stage.world.clock())),
        "action[settings][widget][settings][payment_rule]": stage.key,
        "account_id": str(account.id),
    } | more
    answer = await stage.world.http.post(f"{stage.world.url}/kommo/hooks/rules", data=said)
    return answer.status_code


async def test_a_deposit_that_came_before_a_merge_is_not_asked_for_again(product: World, clock: MovableClock) -> None:
    """The deal that stays enters the same stage: half of the price is paid already, by this rule's own link."""
    stage = await add_action(product, amount="percent", percent=50, kind="deposit")
    gone, kept = stage.deal(300), stage.deal(300)
    stage.move(gone)
    await _entries(product)
    await product.until(lambda: product.fields(gone).get("STRIPE_PAYMENT_LINK"))
    await product.pay(product.fields(gone)["STRIPE_PAYMENT_LINK"])
    await product.quiet()
    await look_for_merges(product.resources)  # from now on the feed is read
    product.kommo.person().merge_leads(kept, gone)
    clock.advance(700)
    await look_for_merges(product.resources)
    for _ in range(500):
        if await product.rows(MergedDeal):
            break
        await asyncio.sleep(0.02)
    stage.move(kept)
    entries = await _entries(product, 2)
    assert [one.outcome for one in entries] == ["asked", "nothing_open"]
