"""Refund a payment: write the row, then call Stripe once with the widget's uuid in the idempotency key."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import stripe_api
from backend.core.errors import AmountInvalid, AmountTooLarge, Conflict, PaymentNotFound, ProductError
from backend.core.ids import usable_id
from backend.core.money import Money
from backend.core.telemetry.lines import milliseconds, note
from backend.ledger.deal import Payment
from backend.ledger.load import load_deals
from backend.payments.checkout.lookup import record
from backend.payments.refund_retry import MARK, key_of, made_before
from backend.payments.schemas import RefundBody, fingerprint, part_of
from backend.payments.stripe_errors import in_words, out_of_reach
from backend.resources import Resources
from backend.storage.models import Account, LedgerEntry, RefundRequest, StripeConnection
from backend.storage.repeating import repeated
from backend.stripe_api.client import Answer, Refused, Unreachable
from backend.stripe_api.events import EventContext, refund_facts
from backend.work_queue.lock_order import account_unit

DOUBT_SECONDS = 3600.0
"""While the outcome of a refund is unknown, no other one of the payment starts; within an
hour Stripe's events report it."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund at Stripe. ``state``: Stripe's pending, requires_action, succeeded, failed or canceled.

    ``new``: this call made the refund.
    """

    id: str
    money: Money
    state: str
    new: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A received payment of ours, with its deal (Kommo id) and its Stripe connection."""

    lead_id: int
    payment: Payment
    connection: StripeConnection


async def find_payment(resources: Resources, account: Account, payment_id: str) -> Found:
    """Return the account's received payment with this Stripe id. Raises ``PaymentNotFound``."""
    async with resources.database.read() as session:
        return await _find(session, resources, account, payment_id)


async def _find(session: AsyncSession, resources: Resources, account: Account, payment_id: str) -> Found:
    entry = await _entry(session, account.id, payment_id) if usable_id(payment_id) else None
    if entry is not None and entry.lead_id:
        ledgers = await load_deals(session, account, [entry.lead_id], resources.clock())
        payment = next((p for p in ledgers[entry.lead_id].received_anywhere if p.id == payment_id), None)
        if payment is not None:
            connection = await session.get_one(StripeConnection, entry.connection_id)
            return Found(entry.lead_id, payment, connection)
    raise PaymentNotFound("There is no such payment in this account.")


async def _entry(session: AsyncSession, account_id: int, payment_id: str) -> LedgerEntry | None:
    """Return the payment's entry. Of two connections of one Stripe account, the one with a key comes first."""
    found = await session.exec(
        select(LedgerEntry)
        .join(StripeConnection, col(LedgerEntry.connection_id) == StripeConnection.id)
        .where(LedgerEntry.account_id == account_id, LedgerEntry.id == payment_id, LedgerEntry.kind == "payment")
        .order_by(col(StripeConnection.api_key) == "", StripeConnection.id)
    )
    return found.first()


async def refund(resources: Resources, account: Account, user_id: int, seen: Found, body: RefundBody) -> Refunded:
    """Refund the payment, or return the refund that an earlier call with the same ``refund_id`` made.

    Raises ``Conflict`` if ``expected_refunded`` is not the refunded total (any more), if the outcome of another refund
    is unknown, or if the payment can't be refunded; ``AmountTooLarge`` beyond what is left; ``AmountInvalid``; and
    ``NotConnected``, ``StripeRefused`` or ``StripeUnreachable``.
    """
    payment_id, now = seen.payment.id, resources.clock()
    async with resources.database.write() as session:
        earlier = await _earlier(session, account.id, seen, body, now)
        found = await _find(session, resources, account, payment_id)
        if not (earlier and earlier.refund_id):
            _check_connected(found)
        row = earlier or _intent(session, account.id, user_id, found, body, now)
    if row.refund_id:
        return _known(found.payment, row)
    api = stripe_api(resources, found.connection)
    try:
        answer = await made_before(resources, api, row) if earlier else None
        if answer is None:
            answer = await api.refund(payment_id, row.amount, body.reason, key_of(row), {MARK: row.id})
    except Refused as refusal:
        if earlier is None or not refusal.is_of_the_key:
            await _forget(resources, row)
        raise in_words(refusal) from refusal
    except Unreachable as error:
        raise out_of_reach(error) from error
    await _take_answer(resources, found.connection, row, answer)
    ids = {"account": account.id, "deal": found.lead_id, "payment": payment_id, "refund": str(answer["id"])}
    note("refund requested", **ids, ms=milliseconds(resources.clock() - now))
    return Refunded(str(answer["id"]), Money(row.amount, row.currency), str(answer["status"]), new=True)


def _check_connected(found: Found) -> None:
    if found.connection.state == "removed":
        raise Conflict(
            "This was paid in a Stripe account that is no longer connected. Refund it in that account's dashboard, or "
            "ask an admin to connect it again."
        )


async def _earlier(
    session: AsyncSession, account_id: int, seen: Found, body: RefundBody, now: float
) -> RefundRequest | None:
    """Return the row of this refund from an earlier call, or None. Raises ``Conflict`` while another one is in doubt.

    The rows are read before the ledger: a refund that is no longer in doubt is in the ledger by then.
    """
    await session.get_one(StripeConnection, seen.connection.id, with_for_update=True)  # one refund at a time
    row = await session.get(RefundRequest, (account_id, str(body.refund_id)))
    if row is None:
        await _check_alone(session, account_id, seen.payment.id, now)
    else:
        _check_repeat(row, _content(seen.payment.id, body))
    return row


def _intent(
    session: AsyncSession, account_id: int, user_id: int, found: Found, body: RefundBody, now: float
) -> RefundRequest:
    row = RefundRequest(
        account_id=account_id,
        id=str(body.refund_id),
        connection_id=found.connection.id,
        payment_id=found.payment.id,
        amount=_amount(found.payment, body),
        currency=found.payment.currency,
        content=_content(found.payment.id, body),
        user_id=user_id,
        created_at=now,
        tried_at=now,
    )
    session.add(row)
    return row


def _content(payment_id: str, body: RefundBody) -> str:
    return fingerprint({"payment": payment_id, **body.model_dump(mode="json")})


def _check_repeat(row: RefundRequest, content: str) -> None:
    if row.content != content:
        raise Conflict("This refund id was already used for another refund. Start a new refund.", field="refund_id")


async def _check_alone(session: AsyncSession, account_id: int, payment_id: str, now: float) -> None:
    others = await session.exec(
        select(RefundRequest.id).where(
            RefundRequest.account_id == account_id,
            RefundRequest.payment_id == payment_id,
            RefundRequest.refund_id == "",
            col(RefundRequest.created_at) > now - DOUBT_SECONDS,
        )
    )
    if others.first() is not None:
        raise Conflict("Another refund of this payment is under way. Look again in a few minutes.")


def _amount(payment: Payment, body: RefundBody) -> int:
    """Return the amount to refund in minor units; raise an error for each reason against it."""
    if payment.outside:
        raise Conflict("This was paid outside Stripe, so Stripe can't refund it. Return it the way it was paid.")
    if payment.shared:
        raise Conflict(
            "This payment pays for several deals, and what goes back counts for each of them in proportion. Refund it "
            "in Stripe's dashboard."
        )
    if _minor(body.expected_refunded, payment, "expected_refunded") != payment.refunded:
        raise Conflict("Part of this payment was refunded meanwhile. Reload the deal.", field="expected_refunded")
    left = payment.amount - payment.refunded
    if left <= 0:
        raise Conflict("Nothing is left to refund.")
    amount = left if body.amount is None else _minor(body.amount, payment, "amount")
    if amount == 0:
        raise AmountInvalid("A refund must be above zero. Enter the amount to refund.")
    if amount > left:
        rest = Money(left, payment.currency)
        raise AmountTooLarge(f"Only {rest} is left to refund.", limit=rest.as_text)
    return amount


def _minor(text: str, payment: Payment, field: str) -> int:
    try:
        return part_of(text, payment.currency)
    except ProductError as error:
        error.field = field
        raise


def _known(payment: Payment, row: RefundRequest) -> Refunded:
    states = {refund.id: refund.status for refund in payment.refunds}
    return Refunded(row.refund_id, Money(row.amount, row.currency), states.get(row.refund_id, "pending"), new=False)


async def _forget(resources: Resources, row: RefundRequest) -> None:
    async with resources.database.write() as session:
        refused = await session.get(RefundRequest, (row.account_id, row.id))
        if refused is not None and not refused.refund_id:
            await session.delete(refused)


@repeated
async def _take_answer(resources: Resources, connection: StripeConnection, row: RefundRequest, answer: Answer) -> None:
    """Write the refund's id and its facts in one unit of work: the next refund finds either the intent or the fact."""
    now = resources.clock()
    async with account_unit(resources.database, row.account_id) as session:
        asked = await session.get_one(RefundRequest, (row.account_id, row.id))
        asked.refund_id = str(answer["id"])
        await record(session, connection, refund_facts(answer, EventContext(now, row.account_id)), now)
    resources.work_arrived.set()
