"""The JSON of a link's sending to the client, inside a deal and alone."""

from pydantic import BaseModel

from backend.automation.sendings.lines import Line
from backend.core.clock import as_datetime


class SendingAnswer(BaseModel):
    """The sending of a link to the client; ``text`` is its progress, in the language asked for.

    ``by``: Kommo's id of the user who pressed Send; ``rule``: the rule that sent it instead of a person, else "".
    ``open``: its outcome is not final. ``at``: RFC 3339 in UTC.
    """

    id: str
    request_id: str
    at: str
    text: str
    by: int | None = None
    rule: str = ""
    open: bool


class SendingPreview(BaseModel):
    """The channel (bot, chat or task) by which the link would go now.

    ``name`` is the bot's; ``message`` is the chat text that the client would read.
    """

    channel: str
    name: str = ""
    message: str = ""


def sending_answer(line: Line) -> SendingAnswer:
    """Return the JSON of one sending; ``by`` is left out if a rule sent it."""
    by = {"by": line.user_id} if line.user_id else {}
    return SendingAnswer(
        id=line.id,
        request_id=line.request_id,
        at=f"{as_datetime(line.at):%Y-%m-%dT%H:%M:%SZ}",
        text=line.text,
        rule=line.rule,
        open=line.is_open,
        **by,
    )
