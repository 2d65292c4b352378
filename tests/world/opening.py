"""How a world is opened for a test."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from backend.accounts.from_environment import ensure_environment
from backend.core.clock import Clock, system_clock
from backend.storage.migrations import upgrade
from backend.worker.loop import Worker
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.serving import free_port
from sandbox.stripe import StripeWorld
from tests.migrated_databases import copy_migrated
from tests.world.install import install
from tests.world.processes import called_web, open_process, served_web, working
from tests.world.services import served, two_worlds
from tests.world.settings import PUBLIC_URL, addresses, environment, settings
from tests.world.stored import store_connected
from tests.world.world import World


@asynccontextmanager
async def open_world(
    database_url: str,
    *,
    clock: Clock = system_clock,
    connected: bool = True,
    worker: bool = True,
    own_hosts: bool = False,
    worlds: tuple[KommoWorld, StripeWorld] | None = None,
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[World]:
    """Both worlds served, and our web; the first account is connected unless ``connected`` is False.

    The account is connected by Kommo's consent page, and by the Stripe key of the environment. Without a ``worker``,
    which would have to set it up, its rows are stored as connected, and nothing happens by itself.
    ``own_hosts``: every Kommo account has a host of its own, none is connected, there is no worker, and our web is
    called without a server. ``worlds`` are two that have been served before. ``more`` are settings that differ.
    """
    async with AsyncExitStack() as stack:
        kommo, stripe = worlds or two_worlds(clock, own_hosts=own_hosts)
        hosts = await stack.enter_async_context(served(kommo, stripe, own_hosts=own_hosts))
        runs, port = worker and not own_hosts, free_port()
        url = PUBLIC_URL if own_hosts else f"http://127.0.0.1:{port}"
        integration = kommo.add_integration(
            kommo.account, f"{url}/oauth/kommo/callback", disable_uri=f"{url}/kommo/uninstall"
        )
        known = environment(kommo, stripe, integration, url) if runs else addresses(kommo, stripe, url)
        chosen = settings(database_url, **known | dict(more or {}))
        if database_url.startswith("sqlite"):
            copy_migrated(database_url)
        resources = await stack.enter_async_context(open_process(chosen, clock, hosts))
        await upgrade(resources.database)
        await ensure_environment(resources, chosen)
        http = await stack.enter_async_context(called_web(resources) if own_hosts else served_web(resources, port))
        movable = clock if isinstance(clock, MovableClock) else MovableClock(clock)
        world = World(movable, kommo, stripe, integration, chosen, resources, Worker(resources), url, http, hosts)
        if runs:
            await stack.enter_async_context(working(world.worker))
        if connected and not own_hosts:
            await (install(world) if runs else store_connected(resources, kommo, stripe, integration))
        yield world
