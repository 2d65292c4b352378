"""The tags *Unpaid* and *Overdue*: on while they are true; no other tag is touched."""

import pytest

from tests.automation.reminders.conftest import Merchant
from tests.world import ADMIN

pytestmark = pytest.mark.anyio


async def test_a_deal_is_tagged_while_something_is_unpaid_or_overdue(merchant: Merchant) -> None:
    world = merchant.world
    path = f"{world.url}/admin/api/accounts/{world.account.id}/options"
    assert (await world.http.put(path, json={"debt_tags": True}, headers=ADMIN)).status_code == 200
    world.kommo.person().tag_lead(merchant.lead_id, "VIP")
    request = await merchant.asks(0)
    await merchant.turn()

    def tags() -> set[str]:
        return {tag.name for tag in world.first_deal.tags}

    assert tags() == {"VIP", "stripe-test", "Unpaid"}
    await merchant.sleeps(1)
    await merchant.turn()
    assert tags() == {"VIP", "stripe-test", "Unpaid", "Overdue"}
    await world.pay(request["url"])
    await world.rep.check()
    await merchant.turn()
    assert tags() == {"VIP", "stripe-test"}
