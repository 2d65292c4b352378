"""Whether Kommo has accepted an integration's secret; a secret that was only saved may be wrong."""

from collections.abc import Callable

from sqlmodel import col, select

from backend.accounts.integrations import Keys, known_keys
from backend.core.cache import CacheSpec
from backend.kommo_api.auth.refusals import Refusal
from backend.resources import Resources
from backend.storage.models import Integration

SURE = (Refusal.CLIENT_ID, Refusal.CLIENT_SECRET)
KNOWN = CacheSpec[str, bool](60.0, most=1)
"""True if any secret is known here. Cached, because people who are not signed in cause the read."""


async def knows_a_secret(resources: Resources) -> bool:
    """Return True if the keys of any integration are known."""
    cache = resources.caches[KNOWN]
    if cache.get("any") is None:
        async with resources.database.look() as session:
            some = select(Integration.client_id).where(col(Integration.secret) != "").limit(1)
            found = (await session.exec(some)).first()
        if found is None:
            return False  # kept in no cache: the next who comes may find it
        cache.put("any", True)
    return True


async def note_signature(resources: Resources, integration: Integration) -> None:
    """Record the first request that Kommo signed with this secret. Only Kommo's token endpoint clears a refusal."""
    if not integration.proven_at:
        await note_proof(resources, integration.client_id, known_keys(resources, integration))


async def note_proof(resources: Resources, client_id: str, keys: Keys | None) -> None:
    """Record that Kommo accepted these keys now."""
    now = resources.clock()

    def prove(row: Integration) -> None:
        row.proven_at, row.refused_at = row.proven_at or now, 0.0

    await _note(resources, client_id, keys, prove)


async def note_no(resources: Resources, keys: Keys | None, reason: Refusal) -> None:
    """Record that Kommo refused these keys. A refusal that may be about the code leaves a proven secret as it is."""
    now = resources.clock()

    def refuse(row: Integration) -> None:
        if reason in SURE or not row.proven_at:
            row.refused_at = now

    if keys is not None and reason in (*SURE, Refusal.KEYS):
        await _note(resources, keys.client_id, keys, refuse)


async def _note(resources: Resources, client_id: str, keys: Keys | None, change: Callable[[Integration], None]) -> None:
    """Change the row only if the stored secret is the one that was tried."""
    async with resources.database.write() as session:
        row = await session.get(Integration, client_id, with_for_update=True)
        held = known_keys(resources, row)
        if row is not None and held is not None and keys is not None and held.secret == keys.secret:
            change(row)
            session.add(row)
