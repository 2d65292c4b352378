"""Kommo says that the integration was removed: proven by its signature, confirmed by a call, then switched off."""

from backend.accounts.integrations import client_secret
from backend.accounts.tokens import api_with, open_pair
from backend.errors import BadSignature
from backend.kommo_api.errors import KommoError, KommoUnauthorized
from backend.kommo_api.oauth import uninstall_signature_ok
from backend.models import Account, Audit, Integration
from backend.resources import Resources

STILL_WORKS = "Kommo told us that the integration was removed, but its token still works. Nothing was switched off."


async def uninstall(resources: Resources, client_id: str, account_id: str, signature: str) -> None:
    """``BadSignature`` and nothing done where the HMAC is wrong. The hook can be replayed, so a call confirms it."""
    async with resources.database.read() as session:
        integration = await session.get(Integration, client_id)
        account = await session.get(Account, int(account_id)) if account_id.isascii() and account_id.isdigit() else None
    if integration is None or not uninstall_signature_ok(
        client_id, account_id, signature, client_secret(resources, integration)
    ):
        raise BadSignature("The signature is not Kommo's.")
    if account is None or account.client_id != client_id or account.state == "uninstalled":
        return
    if await _is_cut_off(resources, account):
        await _mark(resources, account.id, "uninstalled", "The integration was removed in Kommo. Install it again.")
    else:
        await _mark(resources, account.id, account.state, STILL_WORKS)


async def _is_cut_off(resources: Resources, account: Account) -> bool:
    api = api_with(resources, account, open_pair(resources, account)["access_token"])
    try:
        await api.account()
    except KommoUnauthorized:
        return True
    except KommoError:
        return False  # unreachable proves nothing; the token's next refusal will tell
    return False


async def _mark(resources: Resources, account_id: int, state: str, problem: str) -> None:
    async with resources.database.write() as session:
        account = await session.get_one(Account, account_id)
        said = Audit(at=resources.clock(), account_id=account_id, who="Kommo", what="uninstall hook")
        said.before, said.after = {"state": account.state}, {"state": state}
        account.state, account.problem = state, problem
        session.add(account)
        session.add(said)
