"""What clients, bots and callers do in an account's chats."""

import re
from typing import Literal

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.chat_records import Message, Run, Salesbot, Talk
from sandbox.kommo.records import Lead

WINDOW_SECONDS = 24 * 3600
DELIVERED_SECONDS, READ_SECONDS = 5, 3600
WINDOWED = ("waba", "facebook", "instagram_business")
"""Channels in which free text reaches a client only within a day of their last message."""
_FIELD = re.compile(r"{{\s*lead\.cf\.(\d+)\s*}}")
Started = Literal["started", "swallowed", "refused"]


def add_bot(account: Account, name: str, says: str = "", *, waits: bool = False) -> Salesbot:
    made = Salesbot(account.setting.ids.next("salesbot"), name, says, waits=waits)
    account.chats.salesbots[made.id] = made
    return made


def client_writes(account: Account, lead_id: int, text: str, origin: str = "waba") -> Message:
    """The main contact of the deal writes; the talk is opened by it where there is none at work."""
    lead = account.leads[lead_id]
    talk = open_talk(account, lead_id) or _new_talk(account, lead, origin)
    return _said(account, talk, text, "external", incoming=True)


def open_talk(account: Account, lead_id: int) -> Talk | None:
    mine = [one for one in account.chats.talks.values() if one.lead_id == lead_id and one.status == "in_work"]
    return mine[-1] if mine else None


def send(account: Account, talk: Talk, text: str, author: str = "bot") -> Message:
    """Out to the client. Outside the 24-hour window it is accepted all the same, and fails."""
    message = _said(account, talk, text, author, incoming=False)
    if account.switches.reads("delivery", "error") or _is_late(account, talk):
        message.failed = "error"
    return message


def start_bot(account: Account, bot: Salesbot, entity_type: str, entity_id: int) -> Started:
    """One bot runs for an entity at a time; what becomes of a second is a doubt."""
    running = [one for one in _of(account, entity_type, entity_id) if one.state == "runs"]
    run = Run(bot.id, entity_type, entity_id, account.now)
    if running and account.switches.reads("bot_busy", "refused"):
        return "refused"
    account.chats.runs.append(run)
    if running and account.switches.reads("bot_busy", "swallowed"):
        run.state = "swallowed"
        return "swallowed"
    for one in running:
        one.state = "stopped"
    _speak(account, bot, run)
    return "started"


def stop_bot(account: Account, bot_id: int, entity_type: str, entity_id: int) -> None:
    for run in _of(account, entity_type, entity_id):
        if run.bot_id == bot_id and run.state == "runs":
            run.state = "stopped"


def delivery_of(account: Account, message: Message) -> str | None:
    """What the account sees of an outgoing message now."""
    if message.incoming or (account.switches.reads("delivery", "silent") and not message.failed):
        return None
    age = account.now - message.created_at
    if message.failed:
        return message.failed if age >= DELIVERED_SECONDS else "sent"
    return "sent" if age < DELIVERED_SECONDS else "delivered" if age < READ_SECONDS else "read"


def _speak(account: Account, bot: Salesbot, run: Run) -> None:
    """A bot's message goes into the deal's open talk; without one nobody hears it."""
    talk = open_talk(account, run.entity_id) if run.entity_type == "leads" else None
    if talk and bot.says and bot.active:
        send(account, talk, _filled(account.leads[run.entity_id], bot.says))
    run.state = "runs" if bot.waits else "ended"


def _filled(lead: Lead, says: str) -> str:
    def value(found: re.Match[str]) -> str:
        return ", ".join(str(one.get("value", "")) for one in lead.values.get(int(found[1]), []))

    return _FIELD.sub(value, says)


def _of(account: Account, entity_type: str, entity_id: int) -> list[Run]:
    return [one for one in account.chats.runs if (one.entity_type, one.entity_id) == (entity_type, entity_id)]


def _is_late(account: Account, talk: Talk) -> bool:
    newest = max((one.created_at for one in account.chats.of_talk(talk.talk_id) if one.incoming), default=0)
    return talk.origin in WINDOWED and account.now - newest > WINDOW_SECONDS


def _new_talk(account: Account, lead: Lead, origin: str) -> Talk:
    ids, now = account.setting.ids, account.now
    contact = next((one for one, is_main in lead.contacts.items() if is_main), 0)
    made = Talk(ids.next("talk"), contact, ids.uuid(), lead.id, origin, now, now)
    account.chats.talks[made.talk_id] = made
    return made


def _said(account: Account, talk: Talk, text: str, author: str, *, incoming: bool) -> Message:
    made = Message(account.setting.ids.uuid(), talk.talk_id, incoming, text, author, account.now)
    account.chats.messages.append(made)
    talk.updated_at = account.now
    return made
