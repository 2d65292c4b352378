"""Stripe's events of an account, newest first, with their states."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, TextClause, tuple_
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connections_of
from backend.core.ids import usable_id
from backend.inbox.store import IS_UNFINISHED
from backend.storage.models import InboxEvent

SIZE = 50
STATES = ("dead", "postponed", "new", "done", "foreign", "ignored")
UNFINISHED = ("dead", "postponed", "new")


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events, without their bodies."""

    events: Sequence[InboxEvent]
    next: str
    """The key after which the next page starts; '' on the last page."""


async def page_of_events(
    session: AsyncSession, account_id: int, *, state: str = "", event_id: str = "", after: str = ""
) -> EventPage:
    """Return a page of at most ``SIZE`` events of the account, newest first, without their bodies.

    ``state``: only those in this state; '' or an unknown one: all. ``event_id``: only this event. ``after``: the
    ``next`` of the page before; '' or an unreadable one: the first page.
    """
    order = (col(InboxEvent.received_at), col(InboxEvent.id))
    found = select(InboxEvent).options(defer(InboxEvent.body, raiseload=True))  # type: ignore[arg-type]
    found = found.where(*_chosen(state, event_id)).order_by(*(one.desc() for one in order)).limit(SIZE + 1)
    if place := _place(after):
        found = found.where(tuple_(*order) < tuple_(*place))
    events: list[InboxEvent] = []
    for one in await connections_of(session, account_id):  # each by its own index, which ends at the page's length
        events += (await session.exec(found.where(InboxEvent.connection_id == one.id))).all()
    events.sort(key=lambda event: (event.received_at, event.id), reverse=True)
    shown = events[:SIZE]
    return EventPage(shown, f"{shown[-1].received_at!r}~{shown[-1].id}" if len(events) > SIZE else "")


def _chosen(state: str, event_id: str) -> list[ColumnElement[bool] | TextClause]:
    chosen: list[ColumnElement[bool] | TextClause] = []
    if event_id:
        chosen.append(col(InboxEvent.id) == (event_id if usable_id(event_id) else ""))
    if state in STATES:
        chosen.append(col(InboxEvent.state) == state)
    if state in UNFINISHED:
        chosen.append(IS_UNFINISHED)  # the words of the partial index
    return chosen


def _place(text: str) -> tuple[float, str] | None:
    at, _, name = text.partition("~")
    try:
        moment = float(at)
    except ValueError:
        return None
    return (moment, name) if usable_id(name) and abs(moment) < 1e12 else None
