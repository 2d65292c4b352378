"""One row for each origin."""

import pytest

from backend.automation.sendings import plan
from backend.automation.sendings.plan import Origin, plan_sending
from backend.core.errors import TooManySendings
from backend.resources import Resources
from backend.storage.models import AccountWork, PaymentRequest, Sending
from backend.work_queue.lock_order import account_unit
from tests.automation.conftest import NOW

pytestmark = pytest.mark.anyio
ACCOUNT = 7


def _request(request_id: str = "r1") -> PaymentRequest:
    return PaymentRequest(
        account_id=ACCOUNT, id=request_id, lead_id=5, contact_id=9, amount=100, currency="EUR", description="Sofa",
        content="", link_token="t", created_at=NOW,
    )  # fmt: skip


async def _planned(resources: Resources, origin: Origin, request_id: str = "r1") -> Sending:
    async with account_unit(resources.database, ACCOUNT) as session:
        return await plan_sending(
            session, request=_request(request_id), deal_id=5, origin=origin, channels=["chat", "task"], now=NOW
        )


async def test_the_same_origin_has_one_row_whatever_became_of_it(resources: Resources) -> None:
    first = await _planned(resources, Origin("rule", "rule-1:entry-1"))
    async with account_unit(resources.database, ACCOUNT) as session:
        row = await session.get_one(Sending, (ACCOUNT, first.id))
        row.state, row.due_at = "done", None
    again = await _planned(resources, Origin("rule", "rule-1:entry-1"), "another request")
    assert (again.id, again.state, again.request_id) == (first.id, "done", "r1")
    other = await _planned(resources, Origin("reminder", "rule-1:entry-1"))
    assert other.id != first.id
    assert (other.state, other.channels, other.due_at, other.contact_id) == ("waiting", ["chat", "task"], NOW, 9)


async def test_the_worker_is_told_of_it(resources: Resources) -> None:
    await _planned(resources, Origin("person", "click"))
    async with resources.database.read() as session:
        work = await session.get_one(AccountWork, ACCOUNT)
    assert work.wanted > work.done


async def test_a_full_queue_takes_no_more(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_WAITING", 2)
    for number in range(2):
        await _planned(resources, Origin("rule", str(number)))
    with pytest.raises(TooManySendings):
        await _planned(resources, Origin("rule", "2"))
    assert (await _planned(resources, Origin("rule", "1"))).origin_key == "1"
