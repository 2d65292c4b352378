"""Our own description of the deal card's routes, tried out by a machine: no answer is other than described."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.links.shop import Shop, open_shop

EXAMPLES = 25


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Shop]:
    async with open_shop(f"sqlite+aiosqlite:///{tmp_path}/shop.db") as shop:
        yield shop


async def test_every_answer_is_one_that_was_described(shop: Shop) -> None:
    await shop.paid()
    document = (await shop.http.get("/openapi.json")).json()
    tried = await anyio.to_thread.run_sync(_explore, document, str(shop.http.base_url), shop.token())
    assert tried == {"/widget/requests", "/widget/deals/{lead_id}", "/widget/deals/{lead_id}/check",
                     "/widget/requests/{request_id}/cancel", "/widget/payments/{payment_id}/refund",
                     "/widget/setup"}  # fmt: skip


def _explore(document: dict[str, Any], base_url: str, token: dict[str, str]) -> set[str]:
    tried = set()
    for found in schemathesis.openapi.from_dict(document).include(path_regex="^/widget/").get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a schema that can't be read fails the test here

        @given(operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def probe(case: Any) -> None:
            case.call_and_validate(base_url=base_url, headers=token)

        probe()
        tried.add(operation.path)
    return tried
