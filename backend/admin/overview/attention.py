"""Open tasks of an account, each with the page on which it is done."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connections_of
from backend.admin.payment_list.filters import Filter
from backend.admin.unmatched import count_unmatched
from backend.inbox.store import IS_UNFINISHED
from backend.storage.models import Account, CardWrite, Deal, InboxEvent, PaymentLine

STUCK = ("note", "task")


@dataclass(frozen=True, slots=True)
class Errand:
    """An open task. ``finance``: users of finance see its page too; ``said``: our sentence about the problem."""

    name: str
    path: str
    count: int = 1
    finance: bool = False
    said: str = ""
    state: str = ""
    """The filter of that page."""


async def errands_of(session: AsyncSession, account: Account, *, livemode: bool, now: float) -> list[Errand]:
    """Return the account's open tasks, most severe first; [] if nothing is to do.

    ``livemode``: disputes of which mode; ``now``: epoch seconds.
    """
    disputed = Filter(livemode=livemode, state="disputed").conditions(account.id, now)
    disputes = (await session.exec(select(func.count()).select_from(PaymentLine).where(*disputed))).one()
    found = [
        Errand("kommo", "/admin/setup/kommo", int(account.state != "connected")),
        Errand("problem", "/admin/setup/kommo", int(bool(account.problem)), said=account.problem),
        Errand("unmatched", "/admin/unmatched", await count_unmatched(session, account.id), finance=True),
        Errand("disputes", "/admin/payments", disputes, finance=True, state="disputed"),
        Errand("events", "/admin/events", await _given_up(session, account.id), state="dead"),
        Errand("deals", "/admin/events", await _troubled_deals(session, account.id)),
        Errand("notes", "/admin/events", await _lost_notes(session, account.id)),
    ]
    return [one for one in found if one.count]


async def _given_up(session: AsyncSession, account_id: int) -> int:
    connections = [one.id for one in await connections_of(session, account_id)]
    dead = (col(InboxEvent.connection_id).in_(connections), IS_UNFINISHED, InboxEvent.state == "dead")
    return (await session.exec(select(func.count()).select_from(InboxEvent).where(*dead))).one()


async def _troubled_deals(session: AsyncSession, account_id: int) -> int:
    troubled = (Deal.account_id == account_id, col(Deal.written) < col(Deal.wanted), Deal.problem != "")
    return (await session.exec(select(func.count()).select_from(Deal).where(*troubled))).one()


async def _lost_notes(session: AsyncSession, account_id: int) -> int:
    lost = (CardWrite.account_id == account_id, CardWrite.state == "dead", col(CardWrite.kind).in_(STUCK))
    return (await session.exec(select(func.count()).select_from(CardWrite).where(*lost))).one()
