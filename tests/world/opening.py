"""How a world is opened for a test."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import make_url

from backend.accounts.from_environment import ensure_environment
from backend.core.clock import Clock, system_clock
from backend.storage.migrations import upgrade
from backend.worker.loop import Worker
from sandbox.clock import MovableClock
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.grants import Integration
from sandbox.serving import free_port
from sandbox.stripe import StripeWorld
from tests.migrated_databases import copy_migrated
from tests.world.addresses import Addresses, lent_addresses
from tests.world.begun import begun_at, is_new
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

    The account is connected by Kommo's consent page, and by the Stripe key of the environment; a new database
    gets a copy of what that leaves. Without a ``worker``, which would have to set it up, its rows are stored
    as connected, and nothing happens by itself.
    ``own_hosts``: every Kommo account has a host of its own, none is connected, there is no worker, and our web is
    called without a server. ``worlds`` are two that have been served before. ``more`` are settings that differ.
    """
    wanted = _Wanted(database_url, clock, worker and not own_hosts, own_hosts, connected, dict(more or {}))
    async with AsyncExitStack() as stack:
        url = make_url(database_url)
        if connected and wanted.runs and worlds is None and is_new(url):
            at = stack.enter_context(lent_addresses())
            begun = await begun_at(at, tuple(sorted(wanted.more.items())), partial(_set_up, wanted, at))
            if begun.fits(clock):
                yield await stack.enter_async_context(_opened(wanted, begun.again(clock, url), at))
                return
        yield await stack.enter_async_context(_connected(wanted, worlds))


@dataclass(frozen=True)
class _Wanted:
    """``runs``: with a worker."""

    database_url: str
    clock: Clock
    runs: bool
    own_hosts: bool
    connected: bool
    more: Mapping[str, Any]


def _set_up(wanted: _Wanted, at: Addresses, database_url: str, clock: Clock) -> AbstractAsyncContextManager[World]:
    return _connected(replace(wanted, database_url=database_url, clock=clock), at=at)


@asynccontextmanager
async def _connected(
    wanted: _Wanted, worlds: tuple[KommoWorld, StripeWorld] | None = None, at: Addresses | None = None
) -> AsyncIterator[World]:
    """The two worlds, or new ones, and the product, connected as it is wanted."""
    kommo, stripe = worlds or two_worlds(wanted.clock, own_hosts=wanted.own_hosts)
    async with _opened(wanted, (kommo, stripe), at, is_new=True) as world:
        if wanted.connected and wanted.runs:
            await install(world)
        elif wanted.connected and not wanted.own_hosts:
            await store_connected(world.resources, kommo, stripe, world.integration)
        yield world


@asynccontextmanager
async def _opened(
    wanted: _Wanted, worlds: tuple[KommoWorld, StripeWorld], at: Addresses | None = None, *, is_new: bool = False
) -> AsyncIterator[World]:
    """The two worlds and the product at these addresses, else at any; ``is_new``: it has no integration yet."""
    kommo, stripe = worlds
    async with AsyncExitStack() as stack:
        hosts = await stack.enter_async_context(served(kommo, stripe, own_hosts=wanted.own_hosts, at=at))
        port = at.product if at else free_port()
        url = PUBLIC_URL if wanted.own_hosts else f"http://127.0.0.1:{port}"
        integration = _made_at_kommo(kommo, url) if is_new else next(iter(kommo.integrations.values()))
        known = environment(kommo, stripe, integration, url) if wanted.runs else addresses(kommo, stripe, url)
        chosen = settings(wanted.database_url, **known | dict(wanted.more))
        if wanted.database_url.startswith("sqlite"):
            copy_migrated(wanted.database_url)
        resources = await stack.enter_async_context(open_process(chosen, wanted.clock, hosts))
        await upgrade(resources.database)
        await ensure_environment(resources, chosen)
        web = called_web(resources) if wanted.own_hosts else served_web(resources, port)
        http = await stack.enter_async_context(web)
        clock = wanted.clock if isinstance(wanted.clock, MovableClock) else MovableClock(wanted.clock)
        world = World(clock, kommo, stripe, integration, chosen, resources, Worker(resources), url, http, hosts)
        if wanted.runs:
            await stack.enter_async_context(working(world.worker))
        yield world


def _made_at_kommo(kommo: KommoWorld, url: str) -> Integration:
    return kommo.add_integration(kommo.account, f"{url}/oauth/kommo/callback", disable_uri=f"{url}/kommo/uninstall")
