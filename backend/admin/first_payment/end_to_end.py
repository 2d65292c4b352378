"""Progress of the newest test payment, step by step with durations."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connections_of
from backend.ledger.load import is_live, load_deals
from backend.storage.models import Account, CardWrite, InboxEvent, LedgerEntry, PaymentRequest

LEGS = ("asked", "opened", "paid", "heard", "written")


@dataclass(frozen=True, slots=True)
class Leg:
    """A step. ``at``: epoch seconds, None until it happened; ``seconds``: since the step before."""

    name: str
    at: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """The progress. ``can_begin``: a test key is connected; ``lead_id``: the deal of the newest test request."""

    can_begin: bool
    legs: tuple[Leg, ...]
    lead_id: int | None = None
    is_test_mode: bool = False

    @property
    def is_done(self) -> bool:
        """Whether every step happened."""
        return all(leg.at is not None for leg in self.legs)


async def end_to_end(session: AsyncSession, account: Account, now: float) -> EndToEnd:
    """Return the progress of the account's newest test request; without one no step is done. ``now``: epoch seconds."""
    connections = await connections_of(session, account.id)
    tests = [one.id for one in connections if not one.livemode and one.state != "removed"]
    newest = select(PaymentRequest).where(
        PaymentRequest.account_id == account.id, col(PaymentRequest.connection_id).in_(tests)
    )
    request = (await session.exec(newest.order_by(col(PaymentRequest.created_at).desc()).limit(1))).first()
    moments: dict[str, float | None] = dict.fromkeys(LEGS)
    if request is not None:
        moments |= await _moments(session, account, request, now)
    return EndToEnd(
        bool(tests),
        _legs(moments),
        request.lead_id if request else None,
        is_test_mode=not is_live(account, connections),
    )


def _legs(moments: dict[str, float | None]) -> tuple[Leg, ...]:
    legs: list[Leg] = []
    before: float | None = None
    for name in LEGS:
        at = moments[name]
        legs.append(Leg(name, at, max(0.0, at - before) if at is not None and before is not None else None))
        before = at if at is not None else before
    return tuple(legs)


async def _moments(
    session: AsyncSession, account: Account, request: PaymentRequest, now: float
) -> dict[str, float | None]:
    ledger = (await load_deals(session, account, [request.lead_id], now, livemode=False))[request.lead_id]
    payment = next((one for one in ledger.received_anywhere if one.request_id == request.id), None)
    asked = {"asked": request.created_at, "opened": request.opened_at}
    if payment is None:
        return dict(asked)
    ids = [payment.id, *(one.id for mine in ledger.requests if mine.id == request.id for one in mine.sessions)]
    return asked | {
        "paid": payment.paid_at,
        "heard": await _heard(session, request.connection_id, ids),
        "written": await _written(session, account.id, request.lead_id, payment.id),
    }


async def _heard(session: AsyncSession, connection_id: str, ids: list[str]) -> float | None:
    """Return when the first event about these objects arrived."""
    mine = select(LedgerEntry).where(LedgerEntry.connection_id == connection_id, col(LedgerEntry.id).in_(ids))
    events = {event for entry in (await session.exec(mine)).all() for event in entry.facts.get("events", ())}
    if not events:
        return None
    came = select(InboxEvent.received_at).where(
        InboxEvent.connection_id == connection_id, col(InboxEvent.id).in_(sorted(events))
    )
    return min((await session.exec(came)).all(), default=None)


async def _written(session: AsyncSession, account_id: int, lead_id: int, payment_id: str) -> float | None:
    """Return when the payment's note was sent to Kommo."""
    mine = select(CardWrite).where(
        CardWrite.account_id == account_id, CardWrite.lead_id == lead_id, CardWrite.kind == "note"
    )
    notes = [one for one in (await session.exec(mine)).all() if payment_id in one.fact_id and one.sent_at]
    return min((one.sent_at for one in notes), default=None)
