"""The calls for talks and their messages (docs/facts/kommo-automation.md 4)."""

from sandbox.kommo import forms
from sandbox.kommo.accounts.chat_acts import delivery_of, send
from sandbox.kommo.api.calls import Answer, Call, Routes
from sandbox.kommo.api.listing import chooser, filter_node, page
from sandbox.kommo.chat_records import Message, Talk
from sandbox.kommo.problems import Problem, problem
from sandbox.kommo.records import Json

routes = Routes()
PATH = "/api/v4/talks"


@routes.add("GET", PATH)
def list_talks(call: Call) -> Json | None:
    """A filter by a plural type is none that Kommo knows: it is passed over, and everything comes back."""
    rows = [one for one in call.account.chats.talks.values() if _meets(call, one)]
    if call.switches.reads("talks_order", "newest_first"):
        rows.reverse()
    return page(call, PATH, "talks", rows, lambda one: talk_shape(call, one))


@routes.add("GET", PATH + "/{id:int}")
def get_talk(call: Call) -> Json:
    return talk_shape(call, _talk(call))


@routes.add("GET", PATH + "/{id:int}/messages")
def list_messages(call: Call) -> Json | None:
    _check_scope(call)
    talk, meets = _talk(call), chooser(call, between=("created_at",))
    rows = [one for one in call.account.chats.of_talk(talk.talk_id) if meets(one)]
    path = f"{PATH}/{talk.talk_id}/messages"
    return page(call, path, "messages", list(reversed(rows)), lambda one: message_shape(call, talk, one))


@routes.add("POST", PATH + "/{id:int}/send_message")
def send_message(call: Call) -> Answer:
    _check_scope(call)
    talk, text, chats = _talk(call), call.item().get("text"), call.account.chats
    if not isinstance(text, str) or not text.strip():
        raise problem(400, "Request validation failed")
    if not chats.quota:
        raise _over(call)
    if talk.status != "in_work":
        raise problem(422, "Talk is closed")
    chats.quota -= 1
    return Answer({"id": send(call.account, talk, text).id}, 202)


@routes.add("POST", PATH + "/{id:int}/close")
def close_talk(call: Call) -> Answer:
    talk = _talk(call)
    talk.status, talk.updated_at = "closed", call.account.now
    return Answer({}, 202)


def talk_shape(call: Call, talk: Talk) -> Json:
    leads = [{"id": talk.lead_id, "_links": call.href(f"/api/v4/leads/{talk.lead_id}")}] if talk.lead_id else []
    return {
        "talk_id": talk.talk_id,
        "created_at": talk.created_at,
        "updated_at": talk.updated_at,
        "rate": 0,
        "contact_id": talk.contact_id,
        "chat_id": talk.chat_id,
        "entity_id": talk.lead_id,
        "entity_type": "lead" if talk.lead_id else None,
        "status": talk.status,
        "is_in_work": talk.status == "in_work",
        "is_read": True,
        "origin": talk.origin,
        "missed_at": None,
        "account_id": call.account.id,
        "_links": call.href(f"{PATH}/{talk.talk_id}"),
        "_embedded": {"contacts": [{"id": talk.contact_id}], "leads": leads},
    }


def message_shape(call: Call, talk: Talk, message: Message) -> Json:
    ids = {"external": talk.contact_id, "internal": call.account.admin.id}
    return {
        "id": message.id,
        "type": "incoming" if message.incoming else "outgoing",
        "message_type": "text",
        "origin": talk.origin,
        "text": message.text,
        "author": {"id": ids.get(message.author, 0), "type": message.author, "name": message.author},
        "delivery_status": delivery_of(call.account, message),
        "attachment": None,
        "created_at": message.created_at,
    }


def _talk(call: Call) -> Talk:
    talk = call.account.chats.talks.get(call.path["id"])
    if talk is None:
        raise problem(404, "Requested entity not found")
    return talk


def _meets(call: Call, talk: Talk) -> bool:
    if filter_node(call, "only_in_work") is not None and talk.status != "in_work":
        return False
    if not _is_of(call, "talk_id", talk.talk_id) or not _is_of(call, "contact_id", talk.contact_id):
        return False
    kind = filter_node(call, "entity_type")
    return kind != "lead" or _is_of(call, "entity_id", talk.lead_id or 0)


def _is_of(call: Call, name: str, own: int) -> bool:
    node = filter_node(call, name)
    return node is None or str(own) in forms.leaves(node)


def _check_scope(call: Call) -> None:
    if call.switches.reads("chat_scopes", "absent"):
        raise problem(403, "Invalid scope")


def _over(call: Call) -> Problem:
    limit = call.switches.reads("over_quota", "402_limit")
    return problem(402, "Over chat API limit" if limit else "Endpoint not available for current account tariff")
