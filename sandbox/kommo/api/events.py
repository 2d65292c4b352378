"""What happened in the account, newest first, and bots that wait (docs/facts/kommo-api.md 11, 12.2)."""

from sandbox.kommo.api.calls import Answer, Call, Routes, admins_only
from sandbox.kommo.api.listing import chooser, page
from sandbox.kommo.problems import problem
from sandbox.kommo.records import BotRun, Change, Json

routes = Routes()
PATH = "/api/v4/events"
_HIDDEN = ("lead_updated",)  # what webhooks tell, but the feed does not show
_MOST_HANDLERS = 10
_PATIENCE = {"forever": float("inf"), "24_hours": 24 * 3600.0, "10_minutes": 600.0}


@routes.add("GET", PATH)
def list_events(call: Call) -> Json | None:
    if call.switches.reads("events_feed", "403"):
        raise problem(403, "Forbidden")
    meets = chooser(call, equal=("id", "type", "entity", "entity_id", "created_by"), between=("created_at",))
    shown = [change for change in call.account.changes if change.type not in _HIDDEN and meets(change)]
    return page(call, PATH, "events", list(reversed(shown)), lambda change: event_shape(call, change))


@routes.add("POST", "/api/v4/salesbot/{bot_id:int}/continue/{continue_id:int}")
@admins_only
def continue_bot(call: Call) -> Answer:
    """``{data, execute_handlers: at most 10}``; a bot goes on once."""
    run, item = call.account.bots.get(call.path["continue_id"]), call.item()
    if run is None or run.bot_id != call.path["bot_id"] or not _waits(call, run):
        raise problem(404, "Bot not found")
    if run.answer is not None:
        raise problem(int(call.switches["continue_twice"]), "Bot is not waiting")
    _check_handlers(call, item.get("execute_handlers") or [])
    run.answer = item
    return Answer({}, int(call.switches["continue_status"]))


def _waits(call: Call, run: BotRun) -> bool:
    """A bot that was stopped, or that gave up by itself, is gone."""
    return not run.is_stopped and call.world.clock() - run.since < _PATIENCE[call.switches["bot_waits"]]


def _check_handlers(call: Call, handlers: list[Json]) -> None:
    if len(handlers) > _MOST_HANDLERS:
        raise problem(400, f"Limit {_MOST_HANDLERS} of handlers")
    if not handlers and call.switches.reads("continue_handlers", "one_needed"):
        raise problem(400, "execute_handlers is empty")
    if any(one.get("handler") not in ("show", "goto") for one in handlers):
        raise problem(400, "Only show and goto may be executed")


def event_shape(call: Call, change: Change) -> Json:
    entity = call.href(f"/api/v4/{change.entity}s/{change.entity_id}")
    return {
        "id": change.id,
        "type": change.type,
        "entity_id": change.entity_id,
        "entity_type": change.entity,
        "created_by": change.by,
        "created_at": change.at,
        "value_after": change.after,
        "value_before": change.before,
        "account_id": call.account.id,
        "_links": call.href(f"{PATH}/{change.id}"),
        "_embedded": {"entity": {"id": change.entity_id, "_links": entity}},
    }
