"""``payments`` and ``events`` as an operator types them, beside the running product."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.sandbox.stripe.foreign import Foreign
from tests.product import ADMIN_TOKEN, Product, running

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/product.db") as running_product:
        yield running_product


async def _run(product: Product, folder: Path, *words: str) -> tuple[int, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    given = {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/product.db",
        "SECRET_KEYS": "a sealing key of the tests",
        "ADMIN_TOKEN": ADMIN_TOKEN,
        "PUBLIC_URL": product.url,
        "KOMMO_BASE_URL": product.kommo.base_url,
        "STRIPE_API_BASE": product.stripe.base_url,
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "backend", *words],
        cwd=folder, env=kept | given, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


async def test_an_unmatched_payment_is_found_attached_and_taken_out_again(product: Product, tmp_path: Path) -> None:
    marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": "sofa"}
    payment = product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)["id"]
    await product.quiet()
    code, said = await _run(product, tmp_path, "payments", "unmatched")
    assert code == 0
    assert payment in said
    assert "25.00 EUR" in said
    assert "kommo_lead_id is not the number of a deal" in said
    lead_id = product.lead()
    code, said = await _run(product, tmp_path, "payments", "attach", payment, str(lead_id))
    assert (code, str(lead_id) in said) == (0, True)
    await product.until(lambda: product.notes(lead_id))
    assert (await _run(product, tmp_path, "payments", "unmatched"))[1] == ""
    assert (await _run(product, tmp_path, "payments", "detach", payment))[0] == 0
    await product.until(lambda: not product.fields(lead_id).get("STRIPE_PAYMENT_INTENT"))


async def test_what_can_not_be_attached_is_said_in_a_line(product: Product, tmp_path: Path) -> None:
    code, said = await _run(product, tmp_path, "payments", "attach", "pi_none", "5")
    assert (code, said) == (1, "No payment pi_none is known.\n")


async def test_events_are_listed_shown_and_replayed(product: Product, tmp_path: Path) -> None:
    marks = {"kommo_account_id": str(product.account.id), "kommo_lead_id": "sofa"}
    product.stripe.foreign_payment(Foreign("intent", metadata=marks), live=True)
    await product.quiet()
    code, said = await _run(product, tmp_path, "events", "list", "--state", "done")
    assert code == 0
    (line,) = [one for one in said.splitlines() if "payment_intent.succeeded" in one]
    assert "kommo_lead_id is not the number of a deal" in line
    event = next(word for word in line.split() if word.startswith("evt_"))
    code, said = await _run(product, tmp_path, "events", "show", event)
    assert (code, '"kommo_lead_id": "sofa"' in said) == (0, True)
    assert (await _run(product, tmp_path, "events", "replay", event))[1] == "1 events will be worked in again.\n"
    await product.quiet()
    assert (await _run(product, tmp_path, "events", "show", "evt_none"))[0] == 1
