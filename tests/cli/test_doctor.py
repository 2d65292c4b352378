"""``doctor`` beside the running product: a line for each thing, what to do where it is wrong, and an exit code."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.sandbox.stripe.accounts import LEAST
from tests.accounts.around import put
from tests.product import Product, running
from tests.terminal import typed


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/product.db") as made:
        yield made


async def looked(product: Product, folder: Path, **more: str) -> tuple[int, list[str]]:
    code, said = await typed(product, folder, "doctor", **more)
    return code, [line for line in said.splitlines() if line.startswith(("ok ", "FIX"))]


def of(lines: list[str], what: str) -> str:
    return next(line for line in lines if what in line)


async def test_where_all_is_well_every_line_is_ok(product: Product, tmp_path: Path) -> None:
    code, lines = await looked(product, tmp_path)
    assert [line for line in lines if not line.startswith("ok ")] == []
    looked_at = ("settings", "database", "integration", "Kommo acme:", "fields", "Stripe live", "webhook", "widget")
    assert [what for what in looked_at if not any(what in line for line in lines)] == []
    assert code == 0


async def test_each_thing_that_is_wrong_is_named_with_what_to_do(product: Product, tmp_path: Path) -> None:
    field = product.account.field("STRIPE_CURRENCY")
    assert field is not None
    del product.account.custom_fields[field.id]
    (endpoint,) = product.stripe.default_account.shelves[True].endpoints.values()
    endpoint.shown["status"] = "disabled"
    key = product.stripe.default_account.add_restricted_key(set(LEAST) - {"rak_dispute_read"})
    await put(product, f"accounts/{product.account.id}/stripe", {"api_key": key})
    (tmp_path / "widget.zip").write_bytes(b"another")
    code, lines = await looked(product, tmp_path)
    assert code == 1
    assert of(lines, "fields").startswith("FIX  Kommo acme: fields: missing: Currency")
    assert "it is disabled" in of(lines, f"Stripe live of account {product.account.id}: webhook")
    assert "rak_dispute_read" in of(lines, "Stripe test")
    assert "build it again" in of(lines, "widget")
    assert of(lines, "Kommo acme: Kommo answers").startswith("ok ")


async def test_an_account_that_lost_its_access_is_told_where_to_go(product: Product, tmp_path: Path) -> None:
    product.kommo.wallet.revoke(product.integration.client_id)
    code, lines = await looked(product, tmp_path)
    assert (code, of(lines, "Kommo acme").startswith("FIX")) == (1, True)
    again = (await looked(product, tmp_path))[1]
    assert f"{product.url}/oauth/kommo/start" in of(again, "Kommo acme")


async def test_a_database_of_nobody_is_told_to_be_brought_up_to_date(product: Product, tmp_path: Path) -> None:
    code, lines = await looked(product, tmp_path, DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/new.db")
    assert (code, "migrate" in of(lines, "database")) == (1, True)


async def test_another_key_than_the_one_that_sealed_is_named(product: Product, tmp_path: Path) -> None:
    code, lines = await looked(product, tmp_path, SECRET_KEYS="another key of the tests")
    assert (code, "SECRET_KEYS" in of(lines, "integration")) == (1, True)
