"""``payments`` and ``events`` as an operator types them, beside the running product."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.stripe.lives.foreign import Foreign
from tests.command_line import typed
from tests.world import World, open_world


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as running_product:
        yield running_product


async def test_an_unmatched_payment_is_found_attached_and_taken_out_again(product: World, tmp_path: Path) -> None:
    marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": "sofa"}
    payment = product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)["id"]
    await product.quiet()
    code, said = await typed(product, tmp_path, "payments", "unmatched")
    assert code == 0
    assert payment in said
    assert "25.00 EUR" in said
    assert "kommo_lead_id is not the number of a deal" in said
    lead_id = product.lead()
    code, said = await typed(product, tmp_path, "payments", "attach", payment, str(lead_id))
    assert (code, str(lead_id) in said) == (0, True)
    await product.until(lambda: product.notes(lead_id))
    assert (await typed(product, tmp_path, "payments", "unmatched"))[1] == "Every payment has its deal.\n"
    assert (await typed(product, tmp_path, "payments", "detach", payment))[0] == 0
    await product.until(lambda: not product.fields(lead_id).get("STRIPE_PAYMENT_INTENT"))


async def test_what_can_not_be_attached_is_said_in_a_line(product: World, tmp_path: Path) -> None:
    code, said = await typed(product, tmp_path, "payments", "attach", "pi_none", "5")
    assert (code, said) == (1, "No payment pi_none is known.\n")


async def test_events_are_listed_shown_and_replayed(product: World, tmp_path: Path) -> None:
    marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": "sofa"}
    product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.quiet()
    code, said = await typed(product, tmp_path, "events", "list", "--state", "done")
    assert code == 0
    (line,) = [one for one in said.splitlines() if "payment_intent.succeeded" in one]
    assert "kommo_lead_id is not the number of a deal" in line
    event = next(word for word in line.split() if word.startswith("evt_"))
    code, said = await typed(product, tmp_path, "events", "show", event)
    assert (code, '"kommo_lead_id": "sofa"' in said) == (0, True)
    assert (await typed(product, tmp_path, "events", "replay", event))[1] == "1 events will be worked in again.\n"
    await product.quiet()
    assert (await typed(product, tmp_path, "events", "show", "evt_none"))[0] == 1
    code, said = await typed(product, tmp_path, "events", "replay", event, "evt_none")
    assert (code, said.splitlines()[-1]) == (
        1,
        "Not among them: evt_none (not in the inbox, or its body was not kept).",
    )
    code, said = await typed(product, tmp_path, "events", "list", "--state", "given-up")
    assert (code, "new, postponed, done, foreign, ignored, dead" in said) == (2, True)
    assert (await typed(product, tmp_path, "events", "replay", "--state", "given-up"))[0] == 2


async def test_what_no_key_opens_is_said_in_a_line(product: World, tmp_path: Path) -> None:
    lead_id = await product.paid_deal()
    _, listed = await typed(product, tmp_path, "events", "list", "--state", "done")
    event = next(word for word in listed.split() if word.startswith("evt_"))
    for words in (("events", "show", event), ("payments", "attach", "pi_none", str(lead_id), "--account", "31000001")):
        code, said = await typed(product, tmp_path, *words, SECRET_KEYS="another key of the tests")
        assert (code, "put back the key" in said, "Traceback" in said) == (1, True, False), said
