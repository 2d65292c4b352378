"""Choices of the page *Sending links*: orders of channels, and the account's bots by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.automation.sendings.by_person import bots_of
from backend.core.errors import NotConnected
from backend.kommo_api.chats.values import Bot
from backend.kommo_api.errors import KommoError
from backend.resources import Resources
from backend.storage.models import Account

ORDERS = (("bot", "chat", "task"), ("chat", "bot", "task"), ("bot", "task"), ("chat", "task"), ("task",))
LINK_FIELD = "STRIPE_PAYMENT_LINK"


@dataclass(frozen=True, slots=True)
class SendingChoices:
    """``placeholder``: the link's placeholder in a bot's message, '' until the deal fields exist.

    ``silence``: why there are no bots.
    """

    bots: Sequence[Bot]
    silence: str
    placeholder: str
    orders: Sequence[Sequence[str]] = ORDERS


async def sending_choices(resources: Resources, account: Account) -> SendingChoices:
    """Return the choices; if Kommo can't be asked, no bots and the reason."""
    field_id = account.fields.get(LINK_FIELD, {}).get("id")
    placeholder = f"{{{{lead.cf.{field_id}}}}}" if field_id else ""
    try:
        return SendingChoices(await bots_of(resources, account.id), "", placeholder)
    except (KommoError, NotConnected) as error:
        return SendingChoices((), str(error), placeholder)
