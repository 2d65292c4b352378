"""The product between the local worlds, with its widget uploaded, beside a browser."""

from collections.abc import Iterator

import pytest

from sandbox.stage import upload_widget
from tests.browser.threaded import threaded
from tests.world import World, open_world


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("action")
    with threaded(open_world(f"sqlite+aiosqlite:///{folder}/x.db")) as world:
        upload_widget(world.kommo, world.integration, world.url, folder)
        yield world
