"""Sums of the filtered lines, separately for each currency."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.admin.payment_list.filters import Filter
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


async def sums_of(session: AsyncSession, account_id: int, wanted: Filter, now: float) -> Sequence[ListSum]:
    """Return each currency's sums; the currency with most payments first."""
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
    return sorted(sums, key=lambda one: (-one.payments, -one.requests, one.currency))
