"""The connections and shared state of a running process, built once from the settings and passed down as a value."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx

from backend.core.beside import Beside
from backend.core.cache import Caches
from backend.core.clock import Clock
from backend.core.config import Settings, StageRule
from backend.core.signing import PREVIEW_SECONDS, STATE_SECONDS, TimedSigner
from backend.core.vault import Vault
from backend.rate_limit.limiter import Pace
from backend.storage.db import Database
from backend.storage.sealed_files import SealedFiles, beside
from backend.stripe_api.pool import Pool

KEEP_SECONDS = 3.0
"""Less than servers keep an idle connection: one that they close under a request leaves a write in doubt."""
KOMMO_TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True)
class Addresses:
    """Base URLs. ``kommo_base_url`` may contain ``{subdomain}``; without it one server plays all accounts."""

    public_url: str
    kommo_base_url: str
    kommo_oauth_url: str
    stripe_api_base: str
    redirect_uri: str


@dataclass
class Alive:
    """``lock``: returns the number of the presence lock that this process holds while it lives; 0 = none."""

    lock: Callable[[], int] = lambda: 0


@dataclass(frozen=True)
class Resources:
    """The connections and shared state of a process; a worker's turn has a copy with its own checks."""

    database: Database
    vault: Vault
    clock: Clock
    addresses: Addresses
    kommo_http: httpx.AsyncClient
    stripe_http: Pool
    states: TimedSigner
    previews: TimedSigner
    """Signs preview links for sales reps, whose opening does not count as the client's."""
    paid_stages: list[StageRule] | str
    caches: Caches
    """The caches of all rooms; a room uses only those that it declares."""
    pace: Pace
    """Kommo's rate limit, which every request to Kommo waits for; see ``turn``."""
    settle_seconds: float
    files: SealedFiles
    """Sealed files in which new tokens wait while the database is unreachable."""
    kommo_subdomain: str
    """The account of the environment's Stripe key and long-lived token; '': the first account that connects."""
    randomness: Callable[[int], bytes] = os.urandom
    keep_events_days: int = 35
    """Days for which bodies of processed events are kept: longer than Stripe sends or lists an event."""
    work_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this process queues work; another process's work is found by polling."""
    beside: Beside = field(default_factory=Beside)
    """Background calls that no turn waits for."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """In a turn at an account: set when the process is stopping. Started work is finished; no more is started."""
    still_ours: Callable[[], Awaitable[None]] | None = None
    """In a turn at an account: raises ``LeaseLost`` if another worker has the account; called before each request."""
    alive: Alive = field(default_factory=Alive)
    """Shared by everything in this process; set by its worker."""
    backlog: bool = False
    """True for background work, which yields to requests that a person waits for (``rate_limit``)."""

    def turn(self, account_id: int | None) -> AbstractAsyncContextManager[None]:
        """The context around each request to Kommo for this account: entering it waits for the rate limit.

        ``account_id`` None: the account is unknown yet. Raises as ``Pace.turn``, and in a worker's turn
        ``LeaseLost`` if another worker has the account: checked last, because the wait may outlast the lease.
        """
        return self.pace.turn(account_id, backlog=self.backlog, last_check=self.still_ours)


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities that httpx trusts. Loading them takes 20 ms, so it is done once per process."""
    return httpx.create_ssl_context()


@asynccontextmanager
async def open_resources(settings: Settings, clock: Clock) -> AsyncIterator[Resources]:
    """The resources of a process, closed when the block ends."""
    database, vault = Database(settings.database_url), Vault(settings.keys)
    stripe_http = Pool()
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
            await stripe_http.close()
            await database.close()
