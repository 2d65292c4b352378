"""Health of an account's parts, from stored data: neither Kommo nor Stripe is asked."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connections_of
from backend.inbox.store import IS_UNFINISHED
from backend.storage.models import Account, Deal, InboxEvent, StripeConnection, WidgetSeen

DAY = 24 * 3600.0
QUIET_SECONDS = 7 * DAY
"""A shop may have a week without a payment; the widget is opened more often."""
SLOW_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Vital:
    """The health of one part. ``word``: well | watch | bad | unknown; ``at``: its time; ``count``: its number."""

    name: str
    word: str
    at: float | None = None
    count: int | None = None


async def health_of(session: AsyncSession, account: Account, now: float) -> list[Vital]:
    """Return the health of each part of the account at ``now`` (epoch seconds), always all parts in the same order."""
    connections = [one for one in await connections_of(session, account.id) if one.state != "removed"]
    return [
        await _last_event(session, connections, now),
        await _events_waiting(session, connections, now),
        await _deals_waiting(session, account.id, now),
        _token(account, now),
        _endpoint(connections),
        await _widget(session, account.id, now),
    ]


async def _last_event(session: AsyncSession, connections: list[StripeConnection], now: float) -> Vital:
    moments = []
    for one in connections:
        newest = select(InboxEvent.received_at).where(InboxEvent.connection_id == one.id)
        moments.append((await session.exec(newest.order_by(col(InboxEvent.received_at).desc()).limit(1))).first())
    last = max((at for at in moments if at is not None), default=None)
    if last is None:
        return Vital("last_event", "unknown")
    return Vital("last_event", "well" if now - last < QUIET_SECONDS else "watch", at=last)


async def _events_waiting(session: AsyncSession, connections: list[StripeConnection], now: float) -> Vital:
    waiting = (
        col(InboxEvent.connection_id).in_([one.id for one in connections]),
        IS_UNFINISHED,
        InboxEvent.state == "new",
    )
    found = select(func.count(), func.min(InboxEvent.received_at)).select_from(InboxEvent).where(*waiting)
    count, oldest = (await session.exec(found)).one()
    return Vital("events_waiting", _by_age(oldest, now), count=count)


async def _deals_waiting(session: AsyncSession, account_id: int, now: float) -> Vital:
    behind = (Deal.account_id == account_id, col(Deal.written) < col(Deal.wanted))
    found = select(func.count(), func.min(Deal.dirty_since)).select_from(Deal).where(*behind)
    count, oldest = (await session.exec(found)).one()
    return Vital("deals_waiting", _by_age(oldest, now), count=count)


def _by_age(oldest: float | None, now: float) -> str:
    return "well" if oldest is None or now - oldest < SLOW_SECONDS else "bad"


def _token(account: Account, now: float) -> Vital:
    """A refreshed token stays valid; the expiry of a long-lived token is unknown."""
    if account.state != "connected" or account.refused_since:
        return Vital("token", "bad")
    if not account.token_expires_at:
        return Vital("token", "well")
    return Vital("token", "well" if account.token_expires_at > now - DAY else "watch", at=account.token_issued_at)


def _endpoint(connections: list[StripeConnection]) -> Vital:
    active = [one for one in connections if one.state == "active"]
    if not active:
        return Vital("endpoint", "bad")
    heard = all(one.endpoint_id or one.given_secrets for one in active)
    return Vital("endpoint", "bad" if any(one.problem for one in active) else "well" if heard else "watch")


async def _widget(session: AsyncSession, account_id: int, now: float) -> Vital:
    seen = await session.get(WidgetSeen, account_id)
    if seen is None:
        return Vital("widget", "unknown")
    return Vital("widget", "well" if now - seen.at < QUIET_SECONDS else "watch", at=seen.at)
