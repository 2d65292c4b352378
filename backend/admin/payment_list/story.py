"""The history of one payment or request: every known step, oldest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.ledger.deal import Payment, Request
from backend.ledger.load import load_deals
from backend.storage.models import Account, CardWrite, PaymentLine, PaymentRequest

ORDER = ("asked", "opened", "declined", "completed", "paid", "failed", "refund", "dispute")


@dataclass(frozen=True, slots=True)
class Step:
    """A step.

    ``name``: the key of its text; ``at``: epoch seconds, None if unknown; ``amount``: minor units; ``id``: the object's
    id at Stripe or Kommo.
    """

    name: str
    at: float | None = None
    amount: int | None = None
    currency: str = ""
    id: str = ""
    remark: str = ""
    user: str = ""
    """The Kommo user who did it."""


@dataclass(frozen=True, slots=True)
class Story:
    """A line of the list with its steps."""

    line: PaymentLine
    steps: list[Step]


async def story_of(session: AsyncSession, account: Account, lead_id: int, line_id: str, now: float) -> Story | None:
    """Return the history of a line at ``now`` (epoch seconds); None if the list has no such line."""
    line = await session.get(PaymentLine, (account.id, lead_id, line_id))
    if line is None:
        return None
    ledger = (await load_deals(session, account, [lead_id], now, livemode=line.livemode))[lead_id]
    payments = [
        one for one in ledger.payments if one.id == line_id or (one.request_id and one.request_id == line.request_id)
    ]
    request = next((one for one in ledger.requests if one.id == line.request_id), None)
    row = await session.get(PaymentRequest, (account.id, request.id)) if request else None
    steps = [*(_asked(request, row) if request and row else ()), *(one for pay in payments for one in _paid(pay))]
    steps += await _writes(session, account.id, lead_id, _ids(request, payments))
    return Story(line, sorted(steps, key=_place))


def _place(step: Step) -> tuple[bool, int, int]:
    """Order by the second, since Stripe gives no fractions; within a second by the kind of step."""
    rank = ORDER.index(step.name) if step.name in ORDER else len(ORDER)
    return step.at is None, int(step.at or 0), rank


def _asked(request: Request, row: PaymentRequest) -> Iterator[Step]:
    yield Step("asked", request.created_at, request.amount, request.currency, user=str(request.created_by))
    if row.opened_at:
        yield Step("opened", row.opened_at)
    for session in request.sessions:
        if session.completed_at:
            yield Step("completed", session.completed_at, id=session.id)
        if session.async_failed:
            yield Step("failed", session.async_failed, id=session.id)
    if row.cancelled_at:
        yield Step("replaced" if row.replaced_by else "cancelled", row.cancelled_at)


def _paid(payment: Payment) -> Iterator[Step]:
    if payment.decline:
        yield Step("declined", payment.decline.at, id=payment.id, remark=payment.decline.reason)
    if payment.paid_at is not None:
        yield Step("paid", payment.paid_at, payment.amount, payment.currency, payment.stripe_id)
    for refund in payment.refunds:
        yield Step("refund", refund.at, refund.amount, refund.currency, refund.id, refund.status)
    for dispute in payment.disputes:
        yield Step("dispute", dispute.at, dispute.amount, dispute.currency, dispute.id, dispute.status)


def _ids(request: Request | None, payments: Iterable[Payment]) -> set[str]:
    ids = {request.id, *(one.id for one in request.sessions)} if request else set[str]()
    for payment in payments:
        ids |= {payment.id, payment.stripe_id}
        ids |= {one.id for one in payment.refunds} | {one.id for one in payment.disputes}
    return ids


async def _writes(session: AsyncSession, account_id: int, lead_id: int, ids: set[str]) -> list[Step]:
    """Notes, tasks and moves that speak of one of these; a fact's id holds the id that it is about."""
    found = await session.exec(
        select(CardWrite).where(CardWrite.account_id == account_id, CardWrite.lead_id == lead_id)
    )
    return [
        Step(f"write_{write.kind}" if write.kind in ("note", "task", "stage") else "write_other",
             write.sent_at or None, id=str(write.kommo_id or ""), remark=write.error or write.state)
        for write in found.all()
        if any(one in write.fact_id for one in ids)
    ]  # fmt: skip
