"""Ends sessions of the set-up pages with the account's connection: Kommo no longer vouches for their users."""

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import Account, SetupLink, SetupSession


async def sign_out(session: AsyncSession, accounts: ColumnElement[bool]) -> None:
    """Delete the sessions and the unused links of these accounts' admins. The operator stays signed in."""
    ids = select(Account.id).where(accounts)
    await session.exec(delete(SetupSession).where(col(SetupSession.account_id).in_(ids)))
    await session.exec(delete(SetupLink).where(col(SetupLink.account_id).in_(ids)))
