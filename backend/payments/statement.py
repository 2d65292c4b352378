"""A deal's statement, the permanent page for the client if the admin enabled it: address,
content, remaining payment."""

import uuid
from dataclasses import dataclass
from functools import cached_property

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.stripe.connections import connection_for_button, connections_of
from backend.core.errors import AlreadyPaid, NotConnected, RequestNotFound
from backend.core.signing import link_token
from backend.ledger.deal import DealLedger, Request
from backend.ledger.load import is_live, load_deals
from backend.ledger.merged_deals import survivors
from backend.payments.create import create
from backend.payments.dates import Dates
from backend.payments.deal.offer import Offer, offer_of
from backend.payments.find import TOKEN_LENGTH, find_request
from backend.payments.merchant import Merchant, merchant_of
from backend.payments.schemas import PaymentSpec
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import Account, DealStatement

NOBODY = 0
"""The user id of requests that the client makes, instead of a Kommo user's."""
_NAMES = uuid.UUID("5b1f7c3e-52cf-4c0e-9f0b-0d7b5b6a9d11")


@dataclass(frozen=True)
class Statement:
    """A deal's statement: its token, its ledger and the merchant that the deal's links name."""

    token: str
    lead_id: int
    account: Account
    merchant: Merchant
    ledger: DealLedger

    @cached_property
    def offer(self) -> Offer | None:
        """The payment that the page offers, or None."""
        return offer_of(self.ledger)


async def statement_token(resources: Resources, account: Account, lead_id: int) -> str | None:
    """Return the token of the deal's statement, created at the first call; None if the admin
    has not enabled statements."""
    if not options_of(account).statement:
        return None
    async with resources.database.read() as session:
        known = await session.get(DealStatement, (account.id, lead_id))
    if known is not None:
        return known.token
    row = {"account_id": account.id, "lead_id": lead_id, "token": link_token(resources.randomness)}
    async with resources.database.write() as session:
        await insert_missing(session, DealStatement, [row])
        return (await session.get_one(DealStatement, (account.id, lead_id))).token


async def find_statement(resources: Resources, token: str) -> Statement:
    """Return the statement with this token; a merged deal's statement is that of the surviving deal.

    Raises ``RequestNotFound`` for a malformed or unknown token, and if statements are disabled.
    """
    async with resources.database.read() as session:
        usable = len(token) == TOKEN_LENGTH and token.isascii() and token.isalnum()
        found = await session.exec(select(DealStatement).where(DealStatement.token == token)) if usable else None
        row = found.first() if found else None
        account = await session.get(Account, row.account_id) if row else None
        if row is None or account is None or not options_of(account).statement:
            raise RequestNotFound("There is no such statement.")
        lead_id = (await survivors(session, account.id, [row.lead_id])).get(row.lead_id, row.lead_id)
        ledgers = await load_deals(session, account, [lead_id], resources.clock())
        merchant = await _merchant(session, account)
    return Statement(token, lead_id, account, merchant, ledgers[lead_id])


async def _merchant(session: AsyncSession, account: Account) -> Merchant:
    live = is_live(account, await connections_of(session, account.id))
    try:
        connection = await connection_for_button(session, account)
    except NotConnected:
        return merchant_of(account, None, is_test=not live)
    return merchant_of(account, connection, is_test=not live)


async def pay_the_rest(resources: Resources, statement: Statement) -> str:
    """Return the token of a link for the offered amount: that of an open request, else of a new one.

    Repeated calls return the same link, because the request's id is derived from the deal and its outstanding amount.
    Raises ``AlreadyPaid`` if the statement offers nothing, and as ``create`` does.
    """
    offer = statement.offer
    if offer is None:
        raise AlreadyPaid("This deal has nothing to pay at the moment.")
    if offer.link is not None:
        return offer.link.link_token
    asked = _rest(statement, offer)
    await create(resources, statement.account, NOBODY, asked, None)
    return (await find_request(resources, statement.account.id, asked.request_id)).request.link_token


def _rest(statement: Statement, offer: Offer) -> PaymentSpec:
    ledger, older = statement.ledger, offer.replaces
    name = [statement.account.id, statement.lead_id, len(ledger.requests), offer.money, older.id if older else ""]
    return PaymentSpec(
        request_id=str(uuid.uuid5(_NAMES, ":".join(map(str, name)))),
        lead_id=statement.lead_id,
        contact_id=None,
        money=offer.money,
        description=(older or ledger.requests[-1]).description,
        mode="payment",
        interval=None,
        interval_count=None,
        kind="rest",
        deal_total=offer.total,
        replaces=older.id if older else None,
        dates=_dates_of(older, ledger.now) if older else None,
    )


def _dates_of(older: Request, now: float) -> Dates:
    """Return the dates of a replacement: the older request's due date, unless it has passed, and its last day."""
    is_ahead = older.overdue_at is not None and older.overdue_at > now
    return Dates(
        due_on=older.due_on if is_ahead else None,
        valid_until=older.last_day,
    )
