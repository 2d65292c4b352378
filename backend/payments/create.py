"""Create a payment request: the row first, then one call to Stripe, then the session beside it.

Idempotent by (account, uuid). While Stripe has not confirmed the first session the row is an intent: no deal shows
it, the same wish completes it, another wish takes its place. A definite no removes it.
"""

from sqlalchemy import delete
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import connection_for_button
from backend.core.errors import AlreadyPaid, Conflict, FieldInvalid
from backend.core.signing import link_token
from backend.kommo_api.values import Lead
from backend.ledger.load import load_deals
from backend.payments.cancel import cancel, end_session, replace
from backend.payments.checkout.prefill import sealed_email
from backend.payments.checkout.sessions import Wish, drop, keep, make
from backend.payments.deal.remaining import check_rest
from backend.payments.find import find_request
from backend.payments.schemas import Asked
from backend.payments.stripe_errors import in_words, out_of_reach
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import Account, PaymentRequest
from backend.stripe_api.client import Refused, Unreachable


async def create(resources: Resources, account: Account, user_id: int, asked: Asked, lead: Lead | None) -> bool:
    """True when this call made the request, False when it was there with the same content.

    ``lead`` is the deal as Kommo has it, or None when Kommo can't be asked: then it is created all the same.
    Raises ``Conflict`` for a uuid that was used for something else, ``AlreadyPaid``, and Stripe's no in words.
    """
    async with resources.database.read() as session:
        made = _is_made(await session.get(PaymentRequest, (account.id, asked.request_id)), asked)
    is_new = False if made else await _create(resources, account, user_id, asked, lead)
    if asked.replaces is not None:
        await _take_over(resources, account.id, asked.request_id, asked.replaces)
    return is_new


async def _create(resources: Resources, account: Account, user_id: int, asked: Asked, lead: Lead | None) -> bool:
    async with resources.database.read() as session:
        connection = await connection_for_button(session, account)
        if asked.kind == "rest":
            ledgers = await load_deals(session, account, [asked.lead_id], resources.clock())
            check_rest(ledgers[asked.lead_id], asked.money)
    if asked.replaces is not None:
        await _end_older(resources, account.id, asked.lead_id, asked.replaces)
    row = _row(resources, account, user_id, asked, lead)
    row.email = await sealed_email(resources, account, row)
    async with resources.database.write() as session:
        request = await _intent(session, row, asked)
    return not request.session_n and await _complete(resources, Wish(request, connection, 1), asked)


async def _end_older(resources: Resources, account_id: int, lead_id: int, older_id: str) -> None:
    """Before the newer one exists: a client who has just paid the older one must not be asked again."""
    older = await find_request(resources, account_id, older_id)
    if older.request.lead_id != lead_id:
        raise FieldInvalid("It belongs to another deal.", field="replaces")
    if older.state != "cancelled":
        await end_session(resources, older)


async def _take_over(resources: Resources, account_id: int, newer_id: str, older_id: str) -> None:
    try:
        await replace(resources, account_id, older_id, newer_id)
    except AlreadyPaid:  # somebody opened the older link once more, and paid, while the newer one was made
        await cancel(resources, account_id, newer_id)
        raise


def _row(resources: Resources, account: Account, user_id: int, asked: Asked, lead: Lead | None) -> PaymentRequest:
    return PaymentRequest(
        account_id=account.id,
        id=asked.request_id,
        lead_id=asked.lead_id,
        contact_id=asked.contact_id or (lead.main_contact_id if lead else None),
        amount=asked.money.amount,
        currency=asked.money.currency,
        description=asked.description,
        mode=asked.mode,
        interval=asked.interval,
        interval_count=asked.interval_count,
        kind=asked.kind,
        deal_total=asked.deal_total,
        content=asked.content,
        user_id=user_id,
        link_token=link_token(resources.randomness),
        stage_seen=lead.status_id if lead else None,
        created_at=resources.clock(),
    )


async def _intent(session: AsyncSession, row: PaymentRequest, asked: Asked) -> PaymentRequest:
    """The row of this wish, written before the call: new, or what an earlier try of the same wish left."""
    await insert_missing(session, PaymentRequest, [row.model_dump()])
    found = await session.get_one(PaymentRequest, (row.account_id, row.id), with_for_update=True)
    if not _is_made(found, asked) and found.content != asked.content:
        for name, value in row.model_dump().items():
            setattr(found, name, value)
    return found


def _is_made(found: PaymentRequest | None, asked: Asked) -> bool:
    if found is None or not found.session_n:
        return False
    if found.content != asked.content:
        raise Conflict("This request was already used for another payment. Begin a new one.", field="request_id")
    return True


async def _complete(resources: Resources, wish: Wish, asked: Asked) -> bool:
    try:
        answer = await make(resources, wish)
    except Refused as refusal:
        await _withdraw(resources, wish.request)
        raise in_words(refusal) from refusal
    except Unreachable as error:
        raise out_of_reach(error) from error
    if await keep(resources, wish, answer):
        return True
    await drop(resources, wish, answer)
    async with resources.database.read() as session:
        _is_made(await session.get(PaymentRequest, (wish.request.account_id, wish.request.id)), asked)
    return False


async def _withdraw(resources: Resources, request: PaymentRequest) -> None:
    """Nothing is left of a wish that Stripe refused."""
    async with resources.database.write() as session:
        await session.exec(
            delete(PaymentRequest).where(
                col(PaymentRequest.account_id) == request.account_id,
                col(PaymentRequest.id) == request.id,
                col(PaymentRequest.session_n) == 0,
                col(PaymentRequest.content) == request.content,
            )
        )
