"""The deal card's answer, made from our database alone and remembered with the reads it was made from."""

from dataclasses import dataclass

from backend.automation.reminders.card import chase_of
from backend.automation.rules.entries import card_entries
from backend.automation.sendings.lines import lines_of
from backend.core.cache import CacheSpec
from backend.deal_sync.desired.stages import lacking_tag
from backend.payments.deal.summary import look_at_deal
from backend.payments.statement import statement_token
from backend.resources import Resources
from backend.storage.answer_memory import Remembered, remembered
from backend.storage.models import Account
from backend.web.http.due import new_dates, reminders_answer
from backend.web.http.schemas import DealAnswer, May, deal_answer
from backend.web.http.sending_schemas import sending_answer


@dataclass(frozen=True, slots=True)
class Card:
    """Everything beside the database and the time that decides what a user's card shows."""

    account_id: int
    lead_id: int
    only_of: int | None
    merging: bool
    lang: str
    marked: bool
    may_create: bool
    may_refund: bool
    may_see_payments: bool
    pipeline_id: int | None
    tags: tuple[str, ...]


CARDS = CacheSpec[Card, Remembered[bytes]](300.0, most=500)


async def card_answer(resources: Resources, card: Card) -> bytes:
    """Return the card's JSON."""
    cache = resources.caches[CARDS]
    return await remembered(resources.database, cache, card, resources.clock(), lambda: _made(resources, card))


async def _made(resources: Resources, card: Card) -> bytes:
    lead_id, only_of = card.lead_id, card.only_of
    async with resources.database.look() as session:
        account = await session.get_one(Account, card.account_id)
        seen = await look_at_deal(
            session,
            account,
            lead_id,
            resources.clock(),
            card.lang,
            only_of=only_of,
            merging=card.merging,
            marked=card.marked,
        )
        log = [] if only_of is not None else await card_entries(session, account, lead_id, card.lang)
        deals, asked = [lead_id, *seen.ledger.merged], {one.id for one in seen.ledger.requests}
        lines = await lines_of(session, account.id, deals, asked, card.lang)
    rights = May(create=card.may_create, refund=card.may_refund, payments=card.may_see_payments)
    has_money = seen.ledger.requests or seen.ledger.payments
    token = await statement_token(resources, account, lead_id) if has_money and only_of is None else None
    dates = new_dates(account, resources.clock())
    answer = deal_answer(seen, resources.addresses.public_url, may=rights, dates=dates, statement=token, log=log)
    chase = await chase_of(resources, account.id, lead_id) if has_money and only_of is None else None
    answer.reminders = reminders_answer(chase) if chase and (chase.coming or chase.past or chase.stopped) else None
    if lines:
        answer.sendings = [sending_answer(one) for one in lines]
    tested = card.pipeline_id is not None and not seen.ledger.livemode
    if tested and (tag := lacking_tag(account.stages, card.pipeline_id or 0, card.tags)):
        answer.test_tag = tag
    return _json(answer)


def _json(answer: DealAnswer) -> bytes:
    return answer.model_dump_json(exclude_unset=True, by_alias=True).encode()
