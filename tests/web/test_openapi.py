"""Our own description of every route, tried out by a machine: no answer is other than described, and none is a 5xx."""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from backend.web.app import create_app
from sandbox.clock import MovableClock
from tests.world import World, open_world
from tests.world.processes import ANY_REFUSALS, served_web

OPERATOR = {"Authorization": "Bearer admin-token-of-the-tests"}
EXAMPLES = [pytest.param(6, id="some"), pytest.param(150, id="many", marks=pytest.mark.full)]


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/shop.db", clock=MovableClock(), worker=False) as shop:
        yield shop


@pytest.mark.parametrize("examples", EXAMPLES)
async def test_every_answer_is_one_that_was_described(shop: World, examples: int) -> None:
    """As the rep and the operator who may do everything; whoever may not is refused before anything is read.

    Outside the card's routes much of what has the right shape is refused all the same: no signature can be made up.
    And no worker runs here: ``/readyz`` says so after a while, and that is its answer.
    """
    await shop.paid()
    await shop.stored.set_options(statement=True)
    document = (await shop.http.get("/openapi.json", headers=OPERATOR)).json()
    headers = shop.token() | OPERATOR
    async with served_web(shop.resources, limits=ANY_REFUSALS) as http:
        tried = await anyio.to_thread.run_sync(_explore, document, str(http.base_url), headers, examples)
    assert tried == set(document["paths"])


def _explore(document: dict[str, Any], base_url: str, headers: dict[str, str], examples: int) -> set[str]:
    tried = set()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a schema that can't be read fails the test here

        @given(operation.as_strategy())
        @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def probe(case: Any) -> None:
            passed_over = [] if case.path.startswith("/widget/") else [positive_data_acceptance]
            passed_over += [not_a_server_error] if case.path == "/readyz" else []
            case.call_and_validate(
                base_url=base_url, headers=headers, allow_redirects=False, excluded_checks=passed_over
            )

        probe()
        tried.add(operation.path)
    return tried


async def test_every_route_is_described_or_a_page_for_people(shop: World) -> None:
    app = create_app(shop.resources, admin_token="x")
    routes = set(_paths(app.routes))
    pages = {path for path in routes if path.startswith("/admin") and not path.startswith("/admin/api")}
    slashed = {path for path in routes if path.removesuffix("/") in routes - {path}}
    assert routes - pages - slashed - {"/", "/openapi.json"} == set(app.openapi()["paths"])


def _paths(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        within = getattr(route, "original_router", None)
        yield from _paths(within.routes) if within else (route.path,)
