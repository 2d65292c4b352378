"""*Send* in the card: the channel that the link would take, and the row that sends it."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.automation.sendings.channels.chat import find_talk
from backend.automation.sendings.channels.step import Refusal
from backend.automation.sendings.last_look import barrier_of
from backend.automation.sendings.plan import Origin, plan_sending
from backend.automation.sendings.words import message_of, words
from backend.core.cache import CacheSpec
from backend.core.errors import Conflict, NotConnected
from backend.kommo_api.chats.values import Bot
from backend.kommo_api.errors import KommoError
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.models import PaymentRequest, Sending
from backend.work_queue.lock_order import account_unit

BOTS = CacheSpec[int, tuple[Bot, ...]](60.0, most=1_000)
"""By account: the bots that Kommo lists."""
SHADOW = "This account is in shadow mode: nothing is written to Kommo. An administrator changes that in the set-up."


@dataclass(frozen=True, slots=True)
class Preview:
    """``name`` is the bot's; ``message`` the chat text for the client, '' if a bot writes."""

    channel: str
    name: str = ""
    message: str = ""


async def preview(resources: Resources, link: Link) -> Preview:
    """Return the first of the account's channels without an obstacle at this moment."""
    account, address = link.account, resources.addresses.public_url
    for channel in options_of(account).send_channels:
        if channel == "bot" and (name := await _bot_name(resources, link)):
            return Preview("bot", name)
        if channel == "chat" and await _has_talk(resources, link):
            return Preview("chat", message=message_of(address, link, "person"))
        if channel == "task":
            break
    return Preview("task")


async def bots_of(resources: Resources, account_id: int) -> tuple[Bot, ...]:
    """Return the bots that Kommo lists, at most a minute old. Raises ``KommoError`` and ``NotConnected``."""
    cache = resources.caches[BOTS]
    known = cache.get(account_id)
    if known is None:
        known = tuple(await with_kommo(resources, account_id, lambda api: api.chats.bots()))
        cache.put(account_id, known)
    return known


async def _bot_name(resources: Resources, link: Link) -> str:
    """Return the bot's name; '' if none is chosen or it was deleted."""
    chosen = options_of(link.account).send_bot
    if not chosen:
        return ""
    try:
        bots = await bots_of(resources, link.account.id)
    except (KommoError, NotConnected):
        return ""
    return next((bot.name for bot in bots if bot.id == chosen), "")


async def _has_talk(resources: Resources, link: Link) -> bool:
    try:
        found = await find_talk(resources, link.account.id, link.request.lead_id)
    except (KommoError, NotConnected):
        return False
    return not isinstance(found, Refusal)


async def send_by_person(resources: Resources, link: Link, user_id: int, sending_id: str) -> Sending:
    """Return the row of this press; a repeated press returns the same.

    Raises ``Conflict`` if the link must not be sent any more.
    """
    account = link.account
    if options_of(account).shadow:
        raise Conflict(SHADOW)
    barrier = barrier_of(link)
    if barrier:
        raise Conflict(_in_words(barrier))
    origin = Origin("person", f"{link.request.id}:{sending_id}", user_id=user_id)
    async with account_unit(resources.database, account.id) as session:
        row = await _under_way(session, link, origin) or await plan_sending(
            session,
            request=await session.get_one(PaymentRequest, (account.id, link.request.id)),
            deal_id=link.request.lead_id,
            origin=origin,
            channels=options_of(account).send_channels,
            now=resources.clock(),
        )
    resources.work_arrived.set()
    return row


async def _under_way(session: AsyncSession, link: Link, origin: Origin) -> Sending | None:
    """Return the user's earlier sending of this request, by another press, that is not out yet."""
    found = await session.exec(
        select(Sending).where(
            Sending.account_id == link.account.id,
            Sending.lead_id == link.request.lead_id,
            Sending.request_id == link.request.id,
            Sending.origin == "person",
            col(Sending.state).in_(("waiting", "sent", "doubtful")),
            Sending.id != origin.sending_id,
        )
    )
    return found.first()


def _in_words(barrier: str) -> str:
    texts = words("en")
    known = f"dropped_{barrier}"
    return texts.say(known if known in texts.sentences else "dropped")
