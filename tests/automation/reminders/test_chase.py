"""What is due is chased, in both worlds: who has paid, answered or is out of question is not written to."""

import pytest

from backend.core.days import day_at
from sandbox.kommo.records import Lead
from sandbox.stripe import Payer
from tests.automation.reminders.conftest import DAY, HOUR, Merchant

pytestmark = pytest.mark.anyio


async def test_nothing_is_chased_while_nobody_chose_it(merchant: Merchant) -> None:
    await merchant.asks(1)
    await merchant.lives(5)
    assert (await merchant.steps(), merchant.messages) == ([], [])


async def test_each_reminder_goes_once_then_people_are_asked_and_the_tasks_are_closed_by_the_money(
    merchant: Merchant,
) -> None:
    other = merchant.world.account.add_user("Chief", "chief@example.com")
    await merchant.chooses(-1, 2, overdue_days=1, escalate_days=2, escalate_to=other.id)
    request = await merchant.asks(2)
    await merchant.lives(9)
    assert await merchant.steps() == [
        ("-1", "sent", ""), ("2", "sent", ""), ("overdue", "task", ""), ("escalated", "task", ""),
    ]  # fmt: skip
    assert len(merchant.messages) == 2
    assert request["url"] in merchant.messages[0]
    first, second = merchant.tasks
    assert "was due on December 2, 2026" in first.text
    assert [first.responsible_user_id, second.responsible_user_id] == [
        merchant.world.first_deal.responsible_user_id,
        other.id,
    ]
    await merchant.world.pay(request["url"])
    await merchant.world.rep.check()
    await merchant.turn()
    assert [task.is_completed for task in merchant.tasks] == [True, True]
    assert first.result["text"] == "Paid: 120.00 EUR on December 9, 2026."


async def test_after_ten_days_without_a_worker_only_the_newest_reminder_goes(merchant: Merchant) -> None:
    await merchant.chooses(1, 2, 3)
    await merchant.asks(0)
    await merchant.turn()
    await merchant.sleeps(10)
    await merchant.turn()
    assert await merchant.steps() == [("1", "skipped", "late"), ("2", "skipped", "late"), ("3", "sent", "")]
    assert len(merchant.messages) == 1


async def test_who_has_paid_is_not_reminded_though_no_webhook_came(merchant: Merchant) -> None:
    await merchant.chooses(1)
    await merchant.asks(0)
    merchant.world.stripe.pay_session(merchant.world.checkout.session["id"])
    await merchant.lives(3)
    assert (await merchant.steps(), merchant.messages) == ([], [])


async def test_a_bank_that_is_working_on_it_keeps_reminders_back_until_it_has_failed(merchant: Merchant) -> None:
    await merchant.chooses(1)
    await merchant.asks(0)
    merchant.world.stripe.pay_session(merchant.world.checkout.session["id"], Payer("delayed"))
    await merchant.lives(3)
    assert await merchant.steps() == []
    merchant.world.stripe.settle_payment(merchant.world.checkout.session["payment_intent"], "failed")
    await merchant.world.rep.check()
    await merchant.lives(1)
    assert await merchant.steps() == [("1", "sent", "")]


@pytest.mark.parametrize("reason", ["tag", "closed", "stage", "test", "switched_off", "stopped", "deal_gone"])
async def test_a_deal_that_is_out_of_question_is_left_alone(merchant: Merchant, reason: str) -> None:
    world = merchant.world
    lead: Lead = world.first_deal
    await merchant.chooses(1, quiet_stages=[lead.status_id] if reason == "stage" else [])
    await merchant.asks(0)
    if reason == "tag":
        world.kommo.person().tag_lead(lead.id, "No-Reminders")
    if reason == "closed":
        lead.status_id = 143
    if reason == "test":
        lead.tags.clear()
    if reason == "switched_off":
        await world.stored.set_options(send_automatically=False)
    if reason == "stopped":
        answer = await world.rep.post(f"/widget/deals/{lead.id}/reminders", {"stopped": True})
        assert answer.status_code == 200, answer.text
    if reason == "deal_gone":
        del world.account.leads[lead.id]
    await merchant.lives(2)
    assert (await merchant.steps(), merchant.messages) == ([("1", "skipped", reason)], [])


async def test_a_link_that_has_ended_is_not_sent_again_and_people_are_asked_all_the_same(merchant: Merchant) -> None:
    await merchant.chooses(1, overdue_days=1)
    today = day_at(merchant.world.clock(), "UTC").isoformat()
    await merchant.asks(0, valid_until=today)
    await merchant.lives(4)
    assert (await merchant.steps(), merchant.messages) == ([("1", "skipped", "ended"), ("overdue", "task", "")], [])
    assert [task.is_completed for task in merchant.tasks] == [False]


async def test_a_client_who_wrote_since_is_answered_by_a_person(merchant: Merchant) -> None:
    await merchant.chooses(1)
    await merchant.asks(0)
    await merchant.turn()
    await merchant.sleeps(0.1)
    merchant.client_writes("I'll pay on Friday")
    await merchant.lives(2)
    assert (await merchant.steps(), merchant.messages) == ([("1", "task", "replied")], [])
    (task,) = merchant.tasks
    assert "The client has written since" in task.text


@pytest.mark.parametrize("side", ["stripe", "kommo"])
async def test_while_nobody_can_be_asked_nothing_is_sent_and_later_it_is(merchant: Merchant, side: str) -> None:
    await merchant.chooses(0)
    await merchant.asks(0)
    await merchant.turn()
    await merchant.sleeps(2 * HOUR / DAY)
    if side == "stripe":
        merchant.world.checkout.fault("cut_before", "/v1/checkout/sessions/*", count=500)
    else:
        merchant.world.kommo_is_away()
    await merchant.lives(0.5)
    assert await merchant.steps() == []
    merchant.world.stripe.faults.ordered.clear()
    merchant.world.kommo.faults.clear()
    await merchant.lives(0.5)
    assert await merchant.steps() == [("0", "sent", "")]


async def test_what_is_switched_on_late_does_not_chase_the_past(merchant: Merchant) -> None:
    await merchant.asks(0)
    await merchant.lives(5)
    await merchant.chooses(1, 8)
    await merchant.lives(1)
    assert await merchant.steps() == []
    await merchant.lives(4)
    assert await merchant.steps() == [("8", "sent", "")]


async def test_a_person_skips_sends_and_stops_from_the_card(merchant: Merchant) -> None:
    await merchant.chooses(1, 2, 3)
    request = await merchant.asks(0)
    await merchant.turn()
    rep = merchant.world.rep

    async def coming() -> list[str]:
        return [one["step"] for one in (await rep.deal())["reminders"]["coming"]]

    path = f"/widget/requests/{request['id']}/reminders"
    assert await coming() == ["1"]
    assert (await rep.post(f"{path}/skip", {"step": "1"})).status_code == 200
    assert await coming() == ["2"]
    assert (await rep.post(f"{path}/send", {"step": "1"})).status_code == 409
    assert (await rep.post(f"{path}/send", {"step": "2"})).status_code == 200
    await merchant.turn()
    assert len(merchant.messages) == 1
    stop = f"/widget/deals/{merchant.lead_id}/reminders"
    answer = await rep.post(stop, {"stopped": True})
    assert (answer.json()["stopped"], answer.json()["coming"]) == (True, [])
    await rep.post(stop, {"stopped": False})
    assert await coming() == ["3"]
    assert await merchant.steps() == [("1", "skipped", "person"), ("2", "sent", "person")]


async def test_a_sending_that_waits_for_its_hours_is_planned_for_them(merchant: Merchant) -> None:
    await merchant.world.stored.set_options(send_hours=[14, 16])
    await merchant.chooses(1)
    await merchant.asks(0)
    await merchant.turn()
    await merchant.sleeps(1 + 2 * HOUR / DAY)
    await merchant.turn()
    assert await merchant.steps() == []
    await merchant.sleeps(4 * HOUR / DAY)
    await merchant.turn()
    assert len(merchant.messages) == 1
