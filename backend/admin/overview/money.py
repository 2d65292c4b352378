"""Received money by month, and open requests by age."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.admin.payment_list.filters import Filter
from backend.storage.models import PaymentLine

MONTHS = 12
DAY = 24 * 3600.0
SPAN = "span"
"""Grouped by this name: PostgreSQL treats the same expression with other parameters as a different one."""
AGES = ((0, 7), (7, 30), (30, 90), (90, None))
"""Ages in days; a request counts in the first one that fits."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month in one currency; amounts are minor units, ``begins`` is epoch seconds."""

    begins: float
    received: int
    gone: int

    @property
    def net(self) -> int:
        """Received less returned, in minor units."""
        return self.received - self.gone


@dataclass(frozen=True, slots=True)
class MonthsOf:
    """One currency's months, oldest first; the last one is the current month."""

    currency: str
    months: tuple[Month, ...]


@dataclass(frozen=True, slots=True)
class Age:
    """Requests of an age in days: each stack has a count and sums by currency. Overdue requests are open too."""

    since: int
    until: int | None
    open: "Stack" = field(default_factory=lambda: Stack())
    overdue: "Stack" = field(default_factory=lambda: Stack())
    expired: "Stack" = field(default_factory=lambda: Stack())


@dataclass(slots=True)
class Stack:
    """A count and sums by currency in minor units."""

    count: int = 0
    sums: dict[str, int] = field(default_factory=dict)

    def add(self, currency: str, count: int, amount: int) -> None:
        """Add requests of a currency."""
        self.count += count
        self.sums[currency] = self.sums.get(currency, 0) + amount


def month_begins(now: float, zone: ZoneInfo, count: int = MONTHS) -> list[float]:
    """Return the starts of the last ``count`` months in ``zone`` and of the next one, in epoch seconds."""
    this = datetime.fromtimestamp(now, zone)
    numbers = [this.year * 12 + this.month - 1 - back for back in range(count - 1, -2, -1)]
    return [datetime(number // 12, number % 12 + 1, 1, tzinfo=zone).timestamp() for number in numbers]


async def months_of(
    session: AsyncSession, account_id: int, *, livemode: bool, now: float, zone: ZoneInfo
) -> Sequence[MonthsOf]:
    """Return each currency's received and returned amounts by month in ``zone``, in minor units.

    The currency with most payments comes first; [] without payments of this mode. ``now``: epoch seconds.
    """
    begins = month_begins(now, zone)
    spans = list(pairwise(begins))
    line = PaymentLine
    number = case(*[(col(line.at) < until, at) for at, (_, until) in enumerate(spans)], else_=len(spans) - 1).label(
        SPAN
    )
    wanted = Filter(livemode=livemode, state="received", since=begins[0], until=begins[-1])
    figures = (number, func.count(), func.sum(col(line.amount)), func.sum(col(line.gone)))
    found = select(col(line.currency), *figures).where(and_(*wanted.conditions(account_id, now)))
    rows = await (await session.connection()).execute(found.group_by(col(line.currency), SPAN))
    counted: dict[str, int] = {}
    sums: dict[str, dict[int, tuple[int, int]]] = {}
    for currency, at, count, received, gone in rows.all():
        counted[currency] = counted.get(currency, 0) + count
        sums.setdefault(currency, {})[at] = (int(received), int(gone))
    ordered = sorted(sums, key=lambda one: (-counted[one], one))
    return [MonthsOf(one, _months(spans, sums[one])) for one in ordered]


def _months(spans: Sequence[tuple[float, float]], sums: dict[int, tuple[int, int]]) -> tuple[Month, ...]:
    return tuple(Month(begins, *sums.get(at, (0, 0))) for at, (begins, _) in enumerate(spans))


async def ages_of(session: AsyncSession, account_id: int, *, livemode: bool, now: float) -> list[Age]:
    """Return one ``Age`` per span of ``AGES``, youngest first: the open, overdue and expired requests created in it.

    Sums are minor units by currency; ``now``: epoch seconds; ``livemode``: requests of which mode.
    """
    ages = [Age(since, until) for since, until in AGES]
    line = PaymentLine
    limits = [now - (until or 1e6) * DAY for _, until in AGES]
    number = case(*[(col(line.at) > limit, at) for at, limit in enumerate(limits[:-1])], else_=len(AGES) - 1).label(
        SPAN
    )
    for state in ("open", "overdue", "expired"):
        wanted = Filter(livemode=livemode, state=state).conditions(account_id, now)
        figures = (number, func.count(), func.sum(col(line.amount)))
        found = select(col(line.currency), *figures).where(and_(*wanted)).group_by(col(line.currency), SPAN)
        for currency, at, count, amount in (await (await session.connection()).execute(found)).all():
            stack: Stack = getattr(ages[at], state)
            stack.add(currency, count, int(amount))
    return ages
