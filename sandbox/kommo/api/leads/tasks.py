"""Tasks (docs/facts/kommo-api.md 11)."""

from sandbox.kommo.api.calls import Call, Routes
from sandbox.kommo.api.leads.reading import as_read
from sandbox.kommo.api.listing import chooser, filter_node, ordered, page
from sandbox.kommo.api.shapes import found, missing, refuse_bad, request_id, wrong_types
from sandbox.kommo.problems import ItemError, problem
from sandbox.kommo.records import Json, Task

routes = Routes()
PATH = "/api/v4/tasks"
_EQUAL = ("id", "entity_id", "entity_type", "responsible_user_id", "task_type_id")
_TYPES = {
    "text": str,
    "complete_till": int,
    "task_type_id": int,
    "responsible_user_id": int,
    "duration": int,
    "is_completed": bool,
    "result": dict,
    "entity_id": int,
    "entity_type": str,
}
_SETTABLE = ("text", "complete_till", "task_type_id", "responsible_user_id", "duration", "is_completed", "result")


@routes.add("GET", PATH)
def list_tasks(call: Call) -> Json | None:
    meets = chooser(call, equal=_EQUAL, between=("updated_at",))
    rows = [task for task in call.account.tasks.values() if meets(task) and _is_as_done_as_asked(call, task)]
    chosen = ordered(call, rows, ("created_at", "complete_till", "id"), "id")
    return page(call, PATH, "tasks", chosen, lambda task: task_shape(call, task))


@routes.add("GET", PATH + "/{id:int}")
def get_task(call: Call) -> Json | None:
    task = call.account.tasks.get(call.path["id"])
    return task_shape(call, task) if task else None


@routes.add("POST", PATH)
def post_tasks(call: Call) -> Json:
    items = call.items()
    errors = [missing(item, "text", "complete_till") + _errors(call, item) for item in items]
    refuse_bad(call.switches, items, errors)
    rows = [{"id": _make(call, item).id, "request_id": request_id(item, place)} for place, item in enumerate(items)]
    return {"_links": call.href(PATH), "_embedded": {"tasks": rows}}


@routes.add("PATCH", PATH)
def patch_tasks(call: Call) -> Json:
    items = call.items()
    tasks = [found(call.account.tasks, item.get("id")) for item in items]
    errors = [
        _errors(call, item) + ([] if task else [ItemError("id")]) for item, task in zip(items, tasks, strict=True)
    ]
    refuse_bad(call.switches, items, errors)
    rows = [_patched(call, task, item) for item, task in zip(items, tasks, strict=True) if task]
    return {"_links": call.href(PATH), "_embedded": {"tasks": rows}}


@routes.add("PATCH", PATH + "/{id:int}")
def patch_task(call: Call) -> Json:
    task, item = call.account.tasks.get(call.path["id"]), call.item()
    if task is None:
        raise problem(404, "Task not found")
    refuse_bad(call.switches, [item], [_errors(call, item)])
    return _patched(call, task, item)


def task_shape(call: Call, task: Task) -> Json:
    return {
        "id": task.id,
        "created_by": task.created_by,
        "updated_by": task.created_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "responsible_user_id": task.responsible_user_id,
        "group_id": 0,
        "entity_id": task.entity_id,
        "entity_type": task.entity_type,
        "duration": task.duration,
        "is_completed": task.is_completed,
        "task_type_id": task.task_type_id,
        "text": as_read(task.text, call.switches),
        "result": task.result,
        "complete_till": task.complete_till,
        "account_id": call.account.id,
        "_links": call.href(f"{PATH}/{task.id}"),
    }


def _is_as_done_as_asked(call: Call, task: Task) -> bool:
    done = filter_node(call, "is_completed")
    return done is None or task.is_completed == (str(done) in ("1", "true"))


def _errors(call: Call, item: Json) -> list[ItemError]:
    errors = wrong_types(item, _TYPES)
    user = found(call.account.users, item.get("responsible_user_id", call.user.id))
    if user is None or not user.is_active:
        errors.append(ItemError("responsible_user_id"))
    lead = found(call.account.leads, item.get("entity_id"))
    if item.get("entity_type") == "leads" and (lead is None or lead.is_deleted):
        errors.append(ItemError("entity_id"))
    return errors


def _make(call: Call, item: Json) -> Task:
    now = call.account.now
    task = Task(
        call.world.ids.next("task"),
        item["text"],
        item["complete_till"],
        item.get("entity_id"),
        item.get("entity_type"),
        item.get("responsible_user_id", call.user.id),
        call.author,
        now,
        now,
    )
    _patched(call, task, item)
    call.account.tasks[task.id] = task
    if task.entity_id and task.entity_type == "leads":
        call.account.record("task_added", task.entity_id, call.author, after=[{"task": {"id": task.id}}])
    return task


def _patched(call: Call, task: Task, item: Json) -> Json:
    for key in _SETTABLE:
        if item.get(key) is not None:
            setattr(task, key, item[key])
    task.updated_at = call.account.now
    return {"id": task.id, "updated_at": task.updated_at, "_links": call.href(f"{PATH}/{task.id}")}
