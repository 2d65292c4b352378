"""Kommo reports that the integration was removed: proven by signature, confirmed by a call, then disconnected."""

from sqlalchemy import text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.integrations import client_secret, named_integration
from backend.accounts.sign_out import sign_out
from backend.accounts.tokens.call import with_kommo
from backend.accounts.tokens.proofs import note_signature
from backend.core.cache import CacheSpec
from backend.core.errors import BadSignature, NotConnected
from backend.core.ids import usable_number
from backend.core.sentences.said import said
from backend.core.telemetry.lines import note_after_commit
from backend.kommo_api.auth.oauth import uninstall_signature_ok
from backend.kommo_api.errors import KommoError
from backend.rate_limit.unproven_lane import UnprovenLane
from backend.resources import Resources
from backend.storage.models import Account, Audit, BotStep
from backend.storage.models.rules import OPEN_ENTRY
from backend.work_queue.lock_order import account_unit

REMOVED = said("kommo_removed")
STILL_WORKS = said("kommo_removed_but_works")
NOT_ASKED = said("kommo_removed_unconfirmed")

LANES = CacheSpec[int, UnprovenLane](3600.0, most=1_000)
"""By account: the hook's signature has no time, so anybody who has seen one can send it any number of times."""


async def uninstall(resources: Resources, client_id: str, account_id: str, signature: str) -> None:
    """Disconnect the account after Kommo's uninstall hook. Raises ``BadSignature`` for a wrong HMAC, and ``LaneFull``.

    The hook can be replayed, so a call to Kommo must confirm it (docs/facts/kommo-api.md 3).
    """
    async with resources.database.read() as session:
        integration = await named_integration(session, client_id)
    if integration is None or not uninstall_signature_ok(
        client_id, account_id, signature, client_secret(resources, integration)
    ):
        raise BadSignature("The signature is not Kommo's.")
    await note_signature(resources, integration)
    number = usable_number(account_id)
    async with resources.database.read() as session:
        account = await session.get(Account, number) if number else None
    if account is None or account.client_id != client_id or account.state == "uninstalled":
        return
    await _lane(resources, account).enter()
    await _mark(resources, account, await _found(resources, account))


def _lane(resources: Resources, account: Account) -> UnprovenLane:
    lanes = resources.caches[LANES]
    lane = lanes.get(account.id) or UnprovenLane(resources.clock)
    lanes.put(account.id, lane)
    return lane


async def _found(resources: Resources, account: Account) -> str:
    """The sentence for Kommo's answer to one call. An expired token is refreshed first."""
    try:
        await with_kommo(resources, account.id, lambda api: api.account())
    except NotConnected:
        return REMOVED
    except KommoError:
        return NOT_ASKED
    return STILL_WORKS


async def _mark(resources: Resources, before: Account, problem: str) -> None:
    """Store the outcome. An account that was connected again meanwhile stays connected: the refusal was about its old
    tokens."""
    async with account_unit(resources.database, before.id) as session:
        account = await session.get_one(Account, before.id, with_for_update=True)
        if problem == REMOVED and account.state == "connected":
            return
        state = "uninstalled" if problem == REMOVED else account.state
        if (account.state, account.problem) == (state, problem):
            return
        entry = Audit(at=resources.clock(), account_id=account.id, who="Kommo", what="uninstall hook")
        entry.before, entry.after = {"state": before.state}, {"state": state}
        account.state, account.problem = state, problem
        if state == "uninstalled":
            await sign_out(session, col(Account.id) == account.id)
            await _forget_bots(session, account.id)
            note_after_commit(session, "account uninstalled", account=account.id)
        session.add(account)
        session.add(entry)


async def _forget_bots(session: AsyncSession, account_id: int) -> None:
    """Close the steps of bots: after another installation their answers would be outdated."""
    mine = (col(BotStep.account_id) == account_id, text(f"bot_step.{OPEN_ENTRY}"))
    await session.exec(update(BotStep).where(*mine).values(state="done", outcome="removed"))
