"""The local Kommo and the local Stripe of a test, each served on a port of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backend.core.clock import Clock
from sandbox import kommo as kommo_app
from sandbox import stripe as stripe_app
from sandbox.kommo import KommoWorld
from sandbox.serving import serving
from sandbox.stripe import StripeWorld
from tests.world.addresses import Addresses
from tests.world.processes import KommoHosts
from tests.world.settings import FAST


def two_worlds(clock: Clock, *, own_hosts: bool = False) -> tuple[KommoWorld, StripeWorld]:
    """A Kommo and a Stripe that allow any number of calls."""
    kommo = KommoWorld(clock, seed=3, kommo_hosts=own_hosts, switches={"account_rate": "none"})
    return kommo, StripeWorld(clock, seed=3, switches={"rate_limits": "none"})


@asynccontextmanager
async def served(
    kommo: KommoWorld, stripe: StripeWorld, *, own_hosts: bool, at: Addresses | None = None
) -> AsyncIterator[KommoHosts | None]:
    """Both have an address until the block ends: their own of ``at``, else any. Yields the way to Kommo where each
    account has a host of its own."""
    kommo.limits.rate = int(FAST)  # the tests that are about the rate set it back
    ports = (at.kommo, at.stripe) if at else (0, 0)
    async with (
        serving(kommo_app.create_app(kommo), ports[0]) as address,
        serving(stripe_app.create_app(stripe), ports[1]) as stripe_url,
    ):
        kommo.base_url, stripe.base_url = "" if own_hosts else address, stripe_url
        yield KommoHosts(address) if own_hosts else None
