"""A reminder that waits for another day is looked at once more when it goes: at the deal, and at the talk."""

import pytest

from sandbox.kommo.accounts.chat_acts import client_writes
from tests.automation.reminders.conftest import Merchant

pytestmark = pytest.mark.anyio


async def _second_debt(merchant: Merchant) -> int:
    """Another deal of the same client, due on the same day."""
    world = merchant.world
    (contact_id,) = world.first_deal.contacts
    lead_id = world.lead("Second", contacts=[world.account.contacts[contact_id]])
    world.kommo.person().tag_lead(lead_id, "stripe-test")
    client_writes(world.account, lead_id, "Hello", "telegram")
    await merchant.sleeps(60 / 86400)
    await merchant.asks(0)
    await merchant.asks(0, lead_id=lead_id)
    return lead_id


@pytest.mark.parametrize("reason", ["", "tag", "stage", "stopped", "replied"])
async def test_one_that_waits_for_tomorrow_goes_only_if_nothing_stands_in_its_way_then(
    merchant: Merchant, reason: str
) -> None:
    world = merchant.world
    await merchant.chooses(1)
    second = await _second_debt(merchant)
    for _ in range(30):
        await merchant.sleeps(1 / 24)
        await merchant.turn()
        if merchant.messages:
            break
    assert len(merchant.messages) == 1
    (held,) = [row for row in await merchant.sendings() if row.state == "waiting"]
    assert held.reason == "once_a_day"
    lead = world.account.leads[held.lead_id]
    assert held.lead_id in (second, merchant.lead_id)
    if reason == "tag":
        world.kommo.person().tag_lead(lead.id, "No-Reminders")
    if reason == "stage":
        await merchant.chooses(1, quiet_stages=[lead.status_id])
    if reason == "stopped":
        answer = await world.rep.post(f"/widget/deals/{lead.id}/reminders", {"stopped": True})
        assert answer.status_code == 200, answer.text
    if reason == "replied":
        client_writes(world.account, lead.id, "I'll pay on Friday", "telegram")
    await merchant.lives(2)
    assert len(merchant.messages) == (1 if reason else 2)
    rows = {row.request_id: (row.state, row.reason) for row in await merchant.reminders()}
    expected = {"": ("sent", ""), "replied": ("task", "replied")}.get(reason, ("skipped", reason))
    assert rows[held.request_id] == expected
    tasks = [task.text for task in merchant.tasks if task.entity_id == lead.id]
    assert [("The client has written since" in text) for text in tasks] == ([True] if reason == "replied" else [])
