"""The JSON of a link that is sent to the client, in a deal and by itself."""

from pydantic import BaseModel

from backend.automation.sendings.lines import Line
from backend.core.clock import as_datetime


class SendingAnswer(BaseModel):
    """A link that was sent to the client, or is to be: ``text`` says how far it has come, in the language asked for.

    ``by``: Kommo's id of the user who pressed Send; ``rule``: what sent it where no person did. ``open``: more of it
    will be known."""

    id: str
    request_id: str
    at: str
    text: str
    by: int | None = None
    rule: str = ""
    open: bool


class SendingPreview(BaseModel):
    """By which ``channel`` (bot, chat, task) the link would go now; ``name`` is the bot's, ``message`` what the client
    would read in the chat."""

    channel: str
    name: str = ""
    message: str = ""


def sending_answer(line: Line) -> SendingAnswer:
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
