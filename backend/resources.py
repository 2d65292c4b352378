"""What a running process holds: built once by a door from the settings, handed down as a value."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx
import stripe

from backend.core.beside import Beside
from backend.core.cache import Caches
from backend.core.clock import Clock
from backend.core.config import Settings, StageRule
from backend.core.signing import PREVIEW_SECONDS, STATE_SECONDS, TimedSigner
from backend.core.vault import Vault
from backend.rate_limit.limiter import Pace
from backend.storage.db import Database
from backend.storage.sealed_files import SealedFiles, beside
from backend.stripe_api.client import http_client

KEEP_SECONDS = 3.0
"""Less than servers keep an idle connection: one that they close under a request leaves a write in doubt."""
KOMMO_TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True)
class Addresses:
    """Where everything is. ``kommo_base_url`` may hold ``{subdomain}``; without it one server stands for all."""

    public_url: str
    kommo_base_url: str
    kommo_oauth_url: str
    stripe_api_base: str
    redirect_uri: str


@dataclass
class Alive:
    """``lock`` tells what this process holds while it lives, for others to see that it died; 0 = nothing."""

    lock: Callable[[], int] = lambda: 0


@dataclass(frozen=True)
class Resources:
    database: Database
    vault: Vault
    clock: Clock
    addresses: Addresses
    kommo_http: httpx.AsyncClient
    stripe_http: stripe.HTTPXClient
    states: TimedSigner
    previews: TimedSigner
    """Marks addresses that a representative opens: such an opening is not the client's."""
    paid_stages: list[StageRule] | str
    caches: Caches
    """The caches of all rooms; a room reads only those that it declares."""
    pace: Pace
    """Kommo's rate limit, which every request to Kommo waits for; see ``turn``."""
    settle_seconds: float
    files: SealedFiles
    """Where tokens wait while the database is away."""
    kommo_subdomain: str
    """The account that the environment's Stripe key and long-lived token are for; empty: the first that connects."""
    randomness: Callable[[int], bytes] = os.urandom
    keep_events_days: int = 35
    """Bodies of events that are done are kept for so long: longer than Stripe sends or lists an event."""
    work_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this process queues work; another process's work is found by polling."""
    beside: Beside = field(default_factory=Beside)
    """Calls that no turn waits for."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """In a turn at an account: set when the process is being stopped. What is begun is finished, nothing is begun."""
    still_ours: Callable[[], Awaitable[None]] | None = None
    """In a turn at an account: raises where another worker has taken the account over; asked before each call."""
    alive: Alive = field(default_factory=Alive)
    """The same for all in this process; set by its worker."""
    backlog: bool = False
    """Background work: at Kommo it waits until the requests that a person waits for have gone."""

    def turn(self, account_id: int | None) -> AbstractAsyncContextManager[None]:
        """Around each request to Kommo for this account; the last thing before it is whether the account is ours."""
        return self.pace.turn(account_id, backlog=self.backlog, last_check=self.still_ours)


@cache
def _authorities() -> ssl.SSLContext:
    """Those that httpx trusts. Reading them takes 20 ms, so it is done once a process."""
    return httpx.create_ssl_context()


@asynccontextmanager
async def open_resources(settings: Settings, clock: Clock) -> AsyncIterator[Resources]:
    """All connections of a process, closed at the end."""
    database, vault = Database(settings.database_url), Vault(settings.keys)
    stripe_http = http_client()
    limits = httpx.Limits(keepalive_expiry=KEEP_SECONDS)
    async with httpx.AsyncClient(
        timeout=KOMMO_TIMEOUT, limits=limits, follow_redirects=False, verify=_authorities()
    ) as kommo_http:
        try:
            yield Resources(
                database=database,
                vault=vault,
                clock=clock,
                addresses=Addresses(
                    public_url=settings.public_url,
                    kommo_base_url=settings.kommo_base_url,
                    kommo_oauth_url=settings.kommo_oauth_url,
                    stripe_api_base=settings.stripe_api_base,
                    redirect_uri=settings.redirect_uri,
                ),
                kommo_http=kommo_http,
                stripe_http=stripe_http,
                states=TimedSigner(settings.keys, clock, salt="oauth state", seconds=STATE_SECONDS),
                previews=TimedSigner(settings.keys, clock, salt="link preview", seconds=PREVIEW_SECONDS),
                paid_stages=settings.paid_stages,
                caches=Caches(clock),
                pace=Pace(database, clock, account_rate=settings.kommo_rate, address_rate=settings.kommo_ip_rate),
                settle_seconds=settings.settle_seconds,
                keep_events_days=settings.keep_events_days,
                files=SealedFiles(beside(settings.database_url, settings.state_dir), vault),
                kommo_subdomain=settings.kommo_subdomain.strip().lower().removesuffix(".kommo.com"),
            )
        finally:
            await stripe_http.close_async()  # type: ignore[no-untyped-call]
            await database.close()
