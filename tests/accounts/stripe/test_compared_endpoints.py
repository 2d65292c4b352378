"""Another PUBLIC_URL or another release: Stripe's webhook endpoints follow at the start, and the pages say so."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from backend.accounts.stripe.compared_endpoints import compare_endpoints
from backend.accounts.stripe.webhook_endpoints import EVENTS
from backend.storage.models import StripeConnection
from backend.stripe_api.client import PINNED_VERSION
from sandbox.stripe.traffic.faults import Fault
from tests.world import ADMIN_TOKEN, World, open_world

MOVED = "http://localhost"
FORM = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def product(database_url: str, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(database_url) as made:
        await made.until(lambda: endpoints(made))
        await made.quiet()
        yield made


def endpoints(product: World) -> list[dict[str, Any]]:
    return [one.shown for one in product.stripe.default_account.shelves[True].endpoints.values()]


def url_of(product: World) -> str:
    (endpoint,) = endpoints(product)
    return str(endpoint["url"])


async def connection(product: World) -> StripeConnection:
    (row,) = await product.rows(StripeConnection)
    assert isinstance(row, StripeConnection)
    return row


async def page(product: World) -> str:
    async with httpx.AsyncClient(base_url=product.url, follow_redirects=True, headers=FORM) as http:
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        return (await http.get("/admin/setup/stripe")).text


async def test_what_is_registered_is_known_once_the_endpoint_is_made(product: World) -> None:
    row = await connection(product)
    assert (row.endpoint_url, row.endpoint_version, row.endpoint_events) == (url_of(product), PINNED_VERSION, EVENTS)


async def test_another_public_url_is_registered_at_the_start_even_while_kommo_is_away(product: World) -> None:
    product.kommo_is_away()
    async with product.started_again(product.settings.database_url, public_url=MOVED) as moved:
        await moved.until(lambda: url_of(moved).startswith(f"{MOVED}/stripe/webhook/"))


async def test_the_page_shows_the_address_that_stripe_has_until_it_is_moved(product: World) -> None:
    before = url_of(product)
    product.stripe.faults.order(Fault("server_error", "/v1/webhook_endpoints/*", "POST", count=50))
    async with product.started_again(product.settings.database_url, public_url=MOVED) as moved:
        shown = await page(moved)
        assert f"made for you</dt><dd>{before}</dd>" in shown
        assert "not moved yet" in shown
        moved.stripe.faults.ordered.clear()
        await compare_endpoints(moved.resources)
        shown = await page(moved)
        assert f"made for you</dt><dd>{url_of(moved)}</dd>" in shown
        assert "not moved yet" not in shown
        assert url_of(moved).startswith(MOVED)


@pytest.mark.parametrize(
    "former", [{"endpoint_events": ["charge.failed"]}, {"endpoint_version": "2020-08-27"}, {"endpoint_url": ""}]
)
async def test_what_an_earlier_release_registered_is_compared(product: World, former: dict[str, Any]) -> None:
    (endpoint,) = endpoints(product)
    endpoint["enabled_events"] = ["charge.failed"]
    async with product.resources.database.write() as session:
        row = await session.get_one(StripeConnection, (await connection(product)).id)
        for name, value in former.items():
            setattr(row, name, value)
        session.add(row)
    await compare_endpoints(product.resources)
    (endpoint,) = endpoints(product)
    assert sorted(endpoint["enabled_events"]) == EVENTS
    row = await connection(product)
    assert (row.endpoint_url, row.endpoint_version, row.endpoint_events) == (url_of(product), PINNED_VERSION, EVENTS)


async def test_stripe_is_not_asked_where_nothing_differs(product: World) -> None:
    (endpoint,) = endpoints(product)
    endpoint["enabled_events"] = ["charge.failed"]
    await compare_endpoints(product.resources)
    (endpoint,) = endpoints(product)
    assert endpoint["enabled_events"] == ["charge.failed"]
