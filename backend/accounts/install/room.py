"""Limits the pending codes: anybody may send one, but no stranger's code displaces one that we requested."""

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.storage.models import PendingInstall

MOST_OF_ONE = 4
"""Codes of one integration and host: strangers may send some before or after the right one, so all are tried."""
MOST_CODES = 500
"""Most codes of strangers in all."""
_IS_CODE = col(PendingInstall.kind) == "code"
_IS_STRANGERS = col(PendingInstall.origin) == "hook"


async def make_room(session: AsyncSession, client_id: str, base_url: str, *, has_state: bool) -> None:
    """Delete the oldest pending codes so that one more fits the limits: ``MOST_OF_ONE`` and, for codes of strangers,
    ``MOST_CODES``.

    ``has_state``: the new code answers a sign-in of ours. The two kinds are counted apart, because anybody can send
    codes without a state and must not displace one with a state.
    """
    place = (col(PendingInstall.client_id) == client_id, col(PendingInstall.base_url) == base_url)
    await _keep_newest(session, MOST_OF_ONE - 1, *place, ~_IS_STRANGERS if has_state else _IS_STRANGERS)
    if not has_state:
        await _keep_newest(session, MOST_CODES - 1, _IS_STRANGERS)


async def _keep_newest(session: AsyncSession, number: int, *of: ColumnElement[bool]) -> None:
    newest_first = (col(PendingInstall.received_at).desc(), col(PendingInstall.id))
    older = select(PendingInstall.id).where(_IS_CODE, *of).order_by(*newest_first).offset(number)
    await session.exec(delete(PendingInstall).where(col(PendingInstall.id).in_(older)))
