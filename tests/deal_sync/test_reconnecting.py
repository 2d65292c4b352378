"""Kommo refuses our token in the middle of a write: that is a definite no, whatever had begun."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.storage.models import Account, CardWrite
from sandbox.clock import MovableClock
from tests.world import World, install, open_world


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=clock) as one:
        yield one


def _asked(product: World, since: int, method: str, path: str) -> bool:
    return any(one.method == method and one.path.endswith(path) for one in product.kommo.requests[since:])


async def _dismissed_at(product: World, since: int, method: str, path: str) -> None:
    """The user who connected us is dismissed while this request is on its way, and hired again."""
    person = product.kommo.person()
    await product.until(lambda: _asked(product, since, method, path))
    person.deactivate_user(person.user_id)
    for _ in range(100):
        if [account.state for account in await product.rows(Account)] == ["reconnect"]:
            break
        await asyncio.sleep(0.05)
    await product.quiet()
    person.activate_user(person.user_id)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("PATCH", "/leads", "stage"), ("POST", "/leads/notes", "note"), ("POST", "/tasks", "task")],
)
async def test_what_our_token_was_refused_for_is_due_at_once_when_we_are_connected_again(
    product: World, clock: MovableClock, method: str, path: str, kind: str
) -> None:
    """So little time passes here that nothing of which there is a doubt would be settled."""
    lead_id = await product.paid_deal() if kind == "task" else product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.faults.add("delay", f"{path}$", method=method, seconds=0.5)
    since, notes = len(product.kommo.requests), len(product.notes(lead_id))
    if kind == "task":
        product.stripe.open_dispute(product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])
    else:
        await product.pay(link)
    await _dismissed_at(product, since, method, path)
    assert "sent" not in {write.state for write in await product.rows(CardWrite)}
    await install(product)
    clock.advance(10)
    await product.until(lambda: len(product.notes(lead_id)) == notes + 1)
    await product.quiet()
    assert {write.state for write in await product.rows(CardWrite)} == {"done"}
    assert len(product.account.tasks_of(lead_id)) == (kind == "task")
    assert [move["via"] for move in product.deal(lead_id)["moves"]] == ["api"]
    assert product.deal(lead_id)["status"] == "Paid"


async def test_a_lost_answer_to_a_refresh_leaves_no_doubt_about_the_write_that_needed_it(
    product: World, clock: MovableClock
) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    await product.quiet()
    product.kommo.faults.add("delay", "/leads$", method="PATCH", seconds=0.5)
    product.kommo.faults.add("drop_before", "/oauth2/access_token", times=2)
    since = len(product.kommo.requests)
    await product.pay(link)
    await product.until(lambda: _asked(product, since, "PATCH", "/leads"))
    for pair in product.kommo.wallet.by_access.values():
        pair.access_revoked = True
    await product.until(lambda: not product.kommo.faults.waiting)
    await product.quiet()
    clock.advance(10)
    await product.until(lambda: product.notes(lead_id) and product.deal(lead_id)["status"] == "Paid")
    await product.quiet()
    assert {write.state for write in await product.rows(CardWrite)} == {"done"}
