"""Chats: bots are made, clients write, and what was said is read."""

from typing import Any

from sandbox.kommo.accounts.chat_acts import add_bot, client_writes, delivery_of
from sandbox.kommo.control.calls import Action, Control, plain
from sandbox.kommo.records import Json


def make_bot(control: Control) -> Any:
    """``{"name", "says"?: with {{lead.cf.<id>}}, "waits"?, "account_id"?}``"""
    own = {key: value for key, value in control.body.items() if key != "account_id"}
    return add_bot(control.account, own.pop("name"), **own)


def incoming(control: Control) -> Any:
    """``{"lead_id", "text", "origin"?}``: the deal's client writes."""
    account = control.world.account_of_lead(control.body["lead_id"])
    return client_writes(account, control.body["lead_id"], control.body["text"], control.body.get("origin", "waba"))


def list_messages(control: Control) -> list[Json]:
    account = control.account
    return [plain(one) | {"delivery_status": delivery_of(account, one)} for one in account.chats.messages]


def list_runs(control: Control) -> Any:
    return control.account.chats.runs


def set_quota(control: Control) -> None:
    """``{"quota": number or null, "account_id"?}``: messages by API that are left; null: the plan has none."""
    control.account.chats.quota = control.body["quota"]


ACTIONS: dict[str, Action] = {
    "POST /bots": make_bot,
    "GET /bots/runs": list_runs,
    "POST /chats/incoming": incoming,
    "GET /chats/messages": list_messages,
    "PATCH /chats": set_quota,
}
