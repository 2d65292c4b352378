"""Options that an admin chooses for an account: their checks and defaults."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from backend.accounts.automation.sending_options import BotId, Channels, Hours, TimeZone, Weekdays
from backend.accounts.contact import BusinessName, Email, Phone, WhatsApp
from backend.core.errors import FieldInvalid
from backend.core.sentences.reasons import reason_of
from backend.core.sentences.said import said
from backend.storage.models import Account

Users = list[StrictInt]


class Options(BaseModel):
    """An account's options.

    ``refunds`` and ``create``: who may; ``finance``: user ids that see all payments, in addition to administrators;
    ``prefill_email`` is off because links are forwarded to accountants; ``stage_hours``: money older than this moves no
    deal by itself. ``due_days``, ``valid_days``: days from its creation until a request is due and its link ends; 0:
    never. ``debt_tags``: deals are tagged *Unpaid* and *Overdue*. ``business_name`` and ``contact_…`` appear on the
    client's pages if they are set. ``send_…``: automatic links: the bot (0 = none), hours from and to, weekdays from
    Monday = 1, in ``send_time_zone`` ('' = Kommo's). ``bot_waits``: a bot may wait at *Is it
    paid?* for the payment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    refunds: Literal["nobody", "admins"] | Users = "nobody"
    create: Literal["all"] | Users = "all"
    finance: Users = []
    renewals: Literal["same_deal", "new_deal"] = "same_deal"
    note_language: Literal["en", "es", "pt", "tr", "id", "ru"] = "en"
    prefill_email: StrictBool = False
    bare_reference: Literal["trust", "suggest"] = "trust"
    shadow: StrictBool = False
    statement: StrictBool = False
    business_name: BusinessName = ""
    contact_phone: Phone = ""
    contact_whatsapp: WhatsApp = ""
    contact_email: Email = ""
    stage_hours: Annotated[StrictInt, Field(ge=1, le=24 * 365)] = 72
    due_days: Annotated[StrictInt, Field(ge=0, le=365)] = 0
    valid_days: Annotated[StrictInt, Field(ge=0, le=365)] = 0
    debt_tags: StrictBool = False
    send_automatically: StrictBool = True
    send_channels: Channels = ["bot", "chat", "task"]
    send_bot: BotId = 0
    send_hours: Hours = [9, 19]
    send_weekdays: Weekdays = [1, 2, 3, 4, 5]
    send_time_zone: TimeZone = ""
    send_once_a_day: StrictBool = True
    bot_waits: StrictBool = False


def options_of(account: Account) -> Options:
    """The account's options, with defaults for those not chosen; options of a newer release are left out."""
    return Options(**{name: value for name, value in account.options.items() if name in Options.model_fields})


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given options, unchanged, if each is known and valid; ``mode``, the account's own, may be among them.

    Raises ``FieldInvalid`` with the name of the first wrong option.
    """
    try:
        Options(**{name: value for name, value in given.items() if name != "mode"})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise FieldInvalid(said("option_wrong", name=repr(name), reason=reason_of(error)), field=name) from None
    if given.get("mode", "live") not in ("test", "live"):
        raise FieldInvalid(said("mode_wrong"), field="mode")
    return dict(given)
