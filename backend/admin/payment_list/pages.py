"""Pages of the list, newest first. A page starts after a key, so the thousandth costs as much as the first."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from backend.admin.payment_list.filters import Filter
from backend.storage.db import Database
from backend.storage.models import PaymentLine

SIZE = 50
STREAMED = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A line's key in the order of the list."""

    at: float
    id: str
    lead_id: int

    def __str__(self) -> str:
        return f"{self.at!r}~{self.id}~{self.lead_id}"

    @staticmethod
    def of(line: PaymentLine) -> "Place":
        """Return the key of a line."""
        return Place(line.at, line.id, line.lead_id)

    @staticmethod
    def read(text: str) -> "Place | None":
        """Return the key from text; None for other text, so that the list starts at its beginning."""
        at, _, rest = text.partition("~")
        name, _, lead = rest.rpartition("~")
        if not (name.isascii() and name.isprintable() and lead.isascii() and lead.isdigit() and len(lead) < 16):
            return None
        try:
            moment = float(at)
        except ValueError:
            return None
        return Place(moment, name, int(lead)) if abs(moment) < 1e12 else None


@dataclass(frozen=True, slots=True)
class LinePage:
    """A page of lines."""

    lines: Sequence[PaymentLine]
    next: Place | None
    """None on the last page."""


async def page_of_lines(
    session: AsyncSession, account_id: int, wanted: Filter, now: float, after: Place | None, size: int = SIZE
) -> LinePage:
    """Return at most ``size`` lines of the filter after a place; None is the beginning. ``now``: epoch seconds."""
    lines = (await session.exec(_lines(account_id, wanted, now, after).limit(size + 1))).all()
    shown = lines[:size]
    return LinePage(shown, Place.of(shown[-1]) if len(lines) > size else None)


async def all_lines(
    database: Database, account_id: int, wanted: Filter, now: float
) -> AsyncIterator[Sequence[PaymentLine]]:
    """Yield all lines of the filter in portions, using memory for one portion only. ``now``: epoch seconds.

    No unit of work is open between two portions, however slowly a reader takes them.
    """
    place: Place | None = None
    while True:
        async with database.read() as session:
            page = await page_of_lines(session, account_id, wanted, now, place, STREAMED)
        yield page.lines
        if page.next is None:
            return
        place = page.next


def _lines(account_id: int, wanted: Filter, now: float, after: Place | None) -> SelectOfScalar[PaymentLine]:
    order = (col(PaymentLine.at), col(PaymentLine.id), col(PaymentLine.lead_id))
    found = select(PaymentLine).where(*wanted.conditions(account_id, now))
    if after is not None:
        found = found.where(tuple_(*order) < tuple_(after.at, after.id, after.lead_id))
    return found.order_by(*(one.desc() for one in order))
