"""Sums of the filtered lines, separately for each currency."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.admin.payment_list.filters import Filter
from backend.admin.payment_list.pages import SIZE, LinePage, Place, page_of_lines
from backend.storage.models import PaymentLine


@dataclass(frozen=True, slots=True)
class ListSum:
    """One currency's sums in minor units.

    ``received``: gross; ``gone``: refunded or lost in disputes; ``asked``: in unpaid requests.
    """

    currency: str
    payments: int
    received: int
    gone: int
    requests: int
    asked: int

    @property
    def net(self) -> int:
        """Received less gone, in minor units."""
        return self.received - self.gone


async def page_and_sums(
    session: AsyncSession, account_id: int, wanted: Filter, now: float, after: Place | None = None, size: int = SIZE
) -> tuple[LinePage, Sequence[ListSum]]:
    """Return a page of the list, and per currency the sums of all that is filtered. ``now``: epoch seconds.

    A search for a rare word reads every line of the account. If its first page is the only one, that page already has
    every line that was found, so the list is not read again for the sums.
    """
    page = await page_of_lines(session, account_id, wanted, now, after, size)
    if after is None and page.next is None:
        return page, sums_of_lines(page.lines)
    return page, await sums_of(session, account_id, wanted, now)


def sums_of_lines(lines: Sequence[PaymentLine]) -> Sequence[ListSum]:
    """Return the sums of these lines per currency, in the order and units of ``sums_of``."""
    sums = []
    for currency in {line.currency for line in lines}:
        mine = [line for line in lines if line.currency == currency]
        paid = [line for line in mine if line.is_payment]
        asked = [line for line in mine if not line.is_payment]
        received, gone = sum(line.amount for line in paid), sum(line.gone for line in mine)
        sums.append(ListSum(currency, len(paid), received, gone, len(asked), sum(line.amount for line in asked)))
    return _in_order(sums)


def _in_order(sums: Sequence[ListSum]) -> Sequence[ListSum]:
    return sorted(sums, key=lambda one: (-one.payments, -one.requests, one.currency))


async def sums_of(session: AsyncSession, account_id: int, wanted: Filter, now: float) -> Sequence[ListSum]:
    """Return each currency's sums in minor units; the currency with most payments first. ``now``: epoch seconds."""
    line, paid = PaymentLine, col(PaymentLine.is_payment)
    figures = (
        func.sum(case((paid, 1), else_=0)),
        func.sum(case((paid, col(line.amount)), else_=0)),
        func.sum(col(line.gone)),
        func.sum(case((paid, 0), else_=1)),
        func.sum(case((paid, 0), else_=col(line.amount))),
    )
    found = (
        select(col(line.currency), *figures)
        .where(and_(*wanted.conditions(account_id, now)))
        .group_by(col(line.currency))
    )
    rows = (await (await session.connection()).execute(found)).all()
    sums = [ListSum(row[0], *(int(one) for one in row[1:])) for row in rows]
    return _in_order(sums)
