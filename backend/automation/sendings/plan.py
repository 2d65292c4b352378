"""Planning of sendings: one row per origin, carried out by the account's worker."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.core.errors import TooManySendings
from backend.storage.db import insert_missing
from backend.storage.models import PaymentRequest, Sending
from backend.work_queue.wakeups import request_work

Channel = Literal["bot", "chat", "task"]
MOST_WAITING = 5_000
"""Unfinished sendings of one account."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The cause of a sending. The same ``kind`` and ``key`` never send twice; ``name`` is shown on the card."""

    kind: Literal["person", "rule", "reminder"]
    key: str
    name: str = ""
    user_id: int = 0

    @property
    def sending_id(self) -> str:
        """The row's id: a digest of the origin."""
        return hashlib.sha256(f"{self.kind}:{self.key}".encode()).hexdigest()[:32]


async def plan_sending(
    session: AsyncSession,
    *,
    request: PaymentRequest,
    deal_id: int,
    origin: Origin,
    channels: Sequence[Channel],
    now: float,
    text: str = "",
    not_before: float | None = None,
) -> Sending:
    """Return the row of this origin: a new one, or the earlier one whatever its outcome.

    ``session``: a unit of work that began with ``account_work`` (``account_unit``). ``channels``: tried in this order,
    if the account has them (``options_of(account).send_channels`` for its own order). ``now`` and ``not_before``: epoch
    seconds; None sends at once. Raises ``TooManySendings`` if the account's queue is full.
    """
    known = await session.get(Sending, (request.account_id, origin.sending_id))
    if known is not None:
        return known
    await _check_room(session, request.account_id)
    row = Sending(
        account_id=request.account_id,
        id=origin.sending_id,
        origin=origin.kind,
        origin_key=origin.key,
        origin_name=origin.name,
        user_id=origin.user_id,
        lead_id=deal_id,
        contact_id=request.contact_id,
        request_id=request.id,
        channels=list(channels),
        text=text,
        created_at=now,
        due_at=now if not_before is None else not_before,
    )
    await insert_missing(session, Sending, [row.model_dump()])
    await request_work(session, request.account_id)
    return await session.get_one(Sending, (row.account_id, row.id))


async def _check_room(session: AsyncSession, account_id: int) -> None:
    waiting = select(func.count()).where(Sending.account_id == account_id, col(Sending.due_at).is_not(None))
    if (await session.exec(waiting)).one() >= MOST_WAITING:
        raise TooManySendings("Too many links are waiting to be sent. Try again in a few minutes.")
