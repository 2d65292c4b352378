"""Probes a block of our address with one call now and then, so that its end is noticed while nothing else is due."""

from contextlib import suppress

from sqlmodel import select

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.kommo_api.errors import KommoError
from backend.rate_limit.store import blocked_at
from backend.resources import Resources
from backend.storage.models import Account


async def probe_block(resources: Resources) -> None:
    """Make one call if our address is blocked; the rate limiter permits one at most every 30 seconds."""
    async with resources.database.read() as session:
        if not await blocked_at(session):
            return
        account_id = (await session.exec(select(Account.id).where(Account.state == "connected"))).first()
    if account_id is not None:
        with suppress(KommoError, NotConnected):
            await with_kommo(resources, account_id, lambda api: api.account())
