"""The account with an id, or an error that names the id."""

from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import AccountNotFound
from backend.storage.models import Account


async def account_of(session: AsyncSession, account_id: int) -> Account:
    """The account, its row locked. Raises ``AccountNotFound``."""
    account = await session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise AccountNotFound(f"No Kommo account {account_id} is connected here.")
    return account
