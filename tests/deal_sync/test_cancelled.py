"""A deal whose links were all taken back is *Cancelled*, in its own option of the field; nothing failed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.accounts.provisioning import LOOK_AGAIN_SECONDS, look_again
from backend.storage.models import Account
from sandbox.clock import MovableClock
from sandbox.kommo.records import Field
from tests.world import World, open_world

STATUS = "STRIPE_PAYMENT_STATUS"


@pytest.fixture
async def product(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as one:
        yield one


def _list(product: World) -> Field:
    return next(one for one in product.account.custom_fields.values() if one.name == "Payment status")


async def _cancelled(product: World, lead_id: int) -> dict[str, Any]:
    """What the card says after the deal's only link was cancelled."""
    link = (await product.ask(lead_id)).json()
    assert (await product.rep.post(f"/widget/requests/{link['id']}/cancel")).status_code == 200
    await product.quiet()
    return await product.rep.deal(lead_id)


async def test_cancelling_the_only_link_fails_nothing(product: World) -> None:
    lead_id = product.lead()
    deal = await _cancelled(product, lead_id)
    await product.until(lambda: product.fields(lead_id).get(STATUS) == "Cancelled")
    assert (deal["state"], deal["explanation"]) == (
        "cancelled",
        "The payment was cancelled. Create a new one if the client still owes it.",
    )
    await product.link(lead_id)
    await product.until(lambda: product.fields(lead_id).get(STATUS) == "Pending")


async def test_an_account_of_an_older_release_gets_the_option_and_keeps_renamed_ones(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as product:
        await _forget_option(product)
        paid = next(option for option in _list(product).enums if option.value == "Paid")
        paid.value = "Bezahlt"
        lead_id = product.lead()
        await _cancelled(product, lead_id)
        assert product.fields(lead_id).get(STATUS) != "Cancelled"
        clock.advance(LOOK_AGAIN_SECONDS + 1)
        await look_again(product.resources)
        await product.until(lambda: product.fields(lead_id).get(STATUS) == "Cancelled")
        assert [option.value for option in _list(product).enums].count("Paid") == 0
        await product.pay(await product.link(lead_id))
        await product.until(lambda: product.fields(lead_id).get(STATUS) == "Bezahlt")


async def _forget_option(product: World) -> None:
    """As the release before left the account."""
    _list(product).enums = [option for option in _list(product).enums if option.value != "Cancelled"]
    async with product.resources.database.write() as session:
        account = await session.get_one(Account, product.account.id)
        status = dict(account.fields[STATUS])
        status["enums"] = {state: one for state, one in status["enums"].items() if state != "cancelled"}
        account.fields = account.fields | {STATUS: status}
        session.add(account)
