"""The calls for bots (docs/facts/kommo-automation.md 3)."""

from sandbox.kommo.accounts.chat_acts import start_bot, stop_bot
from sandbox.kommo.api.calls import Answer, Call, Routes
from sandbox.kommo.api.listing import chooser, page
from sandbox.kommo.api.shapes import found
from sandbox.kommo.chat_records import Salesbot
from sandbox.kommo.problems import problem
from sandbox.kommo.records import Json

routes = Routes()
PATH = "/api/v4/bots"
_MOST = 100
_ENTITIES = ("leads", "contacts")


@routes.add("GET", PATH)
def list_bots(call: Call) -> Json | None:
    meets = chooser(call, equal=("id", "type_functionality"))
    rows = [one for one in call.account.chats.salesbots.values() if meets(one)]
    return page(call, PATH, "items", rows, lambda one: bot_shape(call, one), counted=True)


@routes.add("GET", PATH + "/{id:int}")
def get_bot(call: Call) -> Json | None:
    bot = call.account.chats.salesbots.get(call.path["id"])
    return bot_shape(call, bot) if bot else None


@routes.add("POST", PATH + "/run")
def run_many(call: Call) -> Answer:
    for item in call.items(_MOST):
        _run(call, item.get("bot_id"), item)
    return Answer("", 202)


@routes.add("POST", PATH + "/{id:int}/run")
def run_bot(call: Call) -> Answer:
    _run(call, call.path["id"], call.item())
    return Answer("Accepted" if call.switches.reads("run_body", "Accepted") else "", 202)


@routes.add("POST", PATH + "/{id:int}/stop")
def stop(call: Call) -> Answer:
    entity_type, entity_id = _entity(call, call.item())
    if entity_type != "leads":
        raise problem(400, "Invalid entity type")
    stop_bot(call.account, call.path["id"], entity_type, entity_id)
    for run in call.account.bots.values():
        run.is_stopped = run.is_stopped or (run.bot_id, run.lead_id) == (call.path["id"], entity_id)
    return Answer("", 202)


def bot_shape(call: Call, bot: Salesbot) -> Json:
    shape: Json = {
        "id": bot.id,
        "name": bot.name,
        "type_functionality": bot.type_functionality,
        "is_visual_editor": True,
        "settings": {"active": bot.active},
        "_links": call.href(f"{PATH}/{bot.id}"),
    }
    return shape | ({"is_favorite": False} if "favorite" in call.withs() else {})


def _run(call: Call, bot_id: object, item: Json) -> None:
    bot = found(call.account.chats.salesbots, bot_id)
    if bot is None:
        raise problem(404, "Requested entity not found")
    if start_bot(call.account, bot, *_entity(call, item)) == "refused":
        raise problem(400, "Another bot is running for this entity")


def _entity(call: Call, item: Json) -> tuple[str, int]:
    kind, entity_id = item.get("entity_type"), item.get("entity_id")
    if kind not in _ENTITIES or not isinstance(entity_id, int):
        raise problem(400, "Request validation failed")
    known = call.account.lead(entity_id) if kind == "leads" else call.account.contacts.get(entity_id)
    if known is None:
        raise problem(400, "Entity not found")
    return str(kind), entity_id
