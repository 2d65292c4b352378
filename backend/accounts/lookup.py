"""The account with an id, or an error that names the id."""

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import AccountNotFound
from backend.core.sentences.said import said
from backend.storage.models import Account


async def account_of(session: AsyncSession, account_id: int, *, lock: bool = True) -> Account:
    """Return the account, with its row locked unless ``lock`` is False. Raises ``AccountNotFound``."""
    account = await session.get(Account, account_id, with_for_update=lock)
    if account is None:
        raise not_connected(account_id)
    return account


def not_connected(account_id: int) -> AccountNotFound:
    """Return the error for an account that is not connected here."""
    return AccountNotFound(said("account_unknown", id=str(account_id)))
