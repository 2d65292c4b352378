"""Create a payment request: write the row, call Stripe once, then write the session.

A request is idempotent by (account, uuid). Until Stripe confirms the first session, the row is only an
intent: no deal shows it, the same order completes it, and another order with its uuid replaces it.
Stripe's definite refusal deletes it.
"""

from sqlalchemy import delete
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connection_for_button
from backend.core.errors import AlreadyPaid, Conflict, FieldInvalid
from backend.core.signing import link_token
from backend.core.telemetry.lines import milliseconds, note
from backend.kommo_api.values import Lead
from backend.ledger.load import load_deals
from backend.payments.cancel import cancel, end_session, replace
from backend.payments.checkout.prefill import sealed_email
from backend.payments.checkout.sessions import SessionOrder, commit_session, discard_session, make
from backend.payments.dates import check_dates, set_dates, usual_dates
from backend.payments.deal.remaining import check_rest
from backend.payments.find import find_in_deal
from backend.payments.schemas import PaymentSpec
from backend.payments.stripe_errors import in_words, out_of_reach
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import Account, PaymentRequest
from backend.stripe_api.client import Refused, Unreachable


async def create(resources: Resources, account: Account, user_id: int, spec: PaymentSpec, lead: Lead | None) -> bool:
    """Create a payment request with its session. True if this call made it, False if it existed with the same content.

    ``lead``: the deal as Kommo has it; None if Kommo can't be reached, then the request is created all the same. Raises
    ``Conflict`` if the uuid was used for something else, ``AlreadyPaid``, ``FieldInvalid``, ``NotConnected``,
    ``StripeRefused`` or ``StripeUnreachable``.
    """
    began = resources.clock()
    async with resources.database.read() as session:
        made = _is_made(await session.get(PaymentRequest, (account.id, spec.request_id)), spec)
    is_new = False if made else await _create(resources, account, user_id, spec, lead)
    if spec.replaces is not None:
        await _take_over(resources, account.id, spec.request_id, spec.replaces)
    if is_new:
        ids = {"account": account.id, "deal": spec.lead_id, "payment_request": spec.request_id}
        note("link made", **ids, ms=milliseconds(resources.clock() - began))
    return is_new


async def _create(resources: Resources, account: Account, user_id: int, spec: PaymentSpec, lead: Lead | None) -> bool:
    contact_id = _contact(spec, lead)
    if spec.dates is not None:
        check_dates(spec.dates, account, resources.clock())
    async with resources.database.read() as session:
        connection = await connection_for_button(session, account)
        if spec.kind == "rest":
            ledgers = await load_deals(session, account, [spec.lead_id], resources.clock())
            check_rest(ledgers[spec.lead_id], spec.money)
    if spec.replaces is not None:
        await _end_older(resources, account.id, spec.lead_id, spec.replaces)
    row = _row(resources, account, user_id, spec, lead, contact_id)
    row.email = await sealed_email(resources, account, row)
    async with resources.database.write() as session:
        request = await _intent(session, row, spec)
    return not request.session_n and await _complete(resources, SessionOrder(request, connection, 1), spec)


async def _end_older(resources: Resources, account_id: int, lead_id: int, older_id: str) -> None:
    """Expire the replaced request's session before the newer one exists: a client who has just
    paid must not be asked again."""
    older = await find_in_deal(resources, account_id, lead_id, older_id)
    if older is None:
        raise FieldInvalid("This deal has no such payment request.", field="replaces")
    if older.state != "cancelled":
        await end_session(resources, older)


async def _take_over(resources: Resources, account_id: int, newer_id: str, older_id: str) -> None:
    try:
        await replace(resources, account_id, older_id, newer_id)
    except AlreadyPaid:  # the client opened the older link again and paid it while the newer one was made
        await cancel(resources, account_id, newer_id)
        raise


def _contact(spec: PaymentSpec, lead: Lead | None) -> int | None:
    """Return the contact to ask, or None if Kommo can't be reached. Raises ``FieldInvalid`` if
    it is not one of the deal's."""
    if lead is None:
        return None
    if spec.contact_id is not None and spec.contact_id not in lead.contact_ids:
        raise FieldInvalid("This contact does not belong to the deal.", field="contact_id")
    return spec.contact_id or lead.main_contact_id


def _row(
    resources: Resources, account: Account, user_id: int, spec: PaymentSpec, lead: Lead | None, contact_id: int | None
) -> PaymentRequest:
    now = resources.clock()
    row = PaymentRequest(
        account_id=account.id,
        id=spec.request_id,
        lead_id=spec.lead_id,
        contact_id=contact_id,
        amount=spec.money.amount,
        currency=spec.money.currency,
        description=spec.description,
        mode=spec.mode,
        interval=spec.interval,
        interval_count=spec.interval_count,
        kind=spec.kind,
        deal_total=spec.deal_total,
        content=spec.content,
        user_id=user_id,
        link_token=link_token(resources.randomness),
        stage_seen=lead.status_id if lead else None,
        created_at=now,
    )
    set_dates(row, spec.dates or usual_dates(account, now), account.timezone)
    return row


async def _intent(session: AsyncSession, row: PaymentRequest, spec: PaymentSpec) -> PaymentRequest:
    """Return the row of this order, written before the call to Stripe: a new one, or that of an earlier attempt."""
    await insert_missing(session, PaymentRequest, [row.model_dump()])
    found = await session.get_one(PaymentRequest, (row.account_id, row.id), with_for_update=True)
    if not _is_made(found, spec) and found.content != spec.content:
        for name, value in row.model_dump().items():
            setattr(found, name, value)
    return found


def _is_made(found: PaymentRequest | None, spec: PaymentSpec) -> bool:
    if found is None or not found.session_n:
        return False
    if found.content != spec.content:
        raise Conflict("This request id was already used for another payment. Start a new one.", field="request_id")
    return True


async def _complete(resources: Resources, order: SessionOrder, spec: PaymentSpec) -> bool:
    try:
        answer = await make(resources, order)
    except Refused as refusal:
        await _withdraw(resources, order.request)
        raise in_words(refusal) from refusal
    except Unreachable as error:
        raise out_of_reach(error) from error
    if await commit_session(resources, order, answer):
        return True
    await discard_session(resources, order, answer)
    async with resources.database.read() as session:
        _is_made(await session.get(PaymentRequest, (order.request.account_id, order.request.id)), spec)
    return False


async def _withdraw(resources: Resources, request: PaymentRequest) -> None:
    """Delete the intent of an order that Stripe refused."""
    async with resources.database.write() as session:
        await session.exec(
            delete(PaymentRequest).where(
                col(PaymentRequest.account_id) == request.account_id,
                col(PaymentRequest.id) == request.id,
                col(PaymentRequest.session_n) == 0,
                col(PaymentRequest.content) == request.content,
            )
        )
