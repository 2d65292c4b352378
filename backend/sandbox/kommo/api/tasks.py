"""Tasks (facts/kommo-api.md, section 11)."""

from backend.sandbox.kommo.api.calls import Call, Routes
from backend.sandbox.kommo.api.listing import chooser, filter_node, ordered, page
from backend.sandbox.kommo.problems import ItemError, invalid, problem, wrong_type
from backend.sandbox.kommo.records import Json, Task

routes = Routes()
PATH = "/api/v4/tasks"
_EQUAL = ("id", "entity_id", "entity_type", "responsible_user_id", "task_type_id")
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
    _refuse(call, items, [_missing(item) + _errors(call, item) for item in items])
    rows = [
        {"id": _make(call, item).id, "request_id": str(item.get("request_id", place))}
        for place, item in enumerate(items)
    ]
    return {"_links": call.href(PATH), "_embedded": {"tasks": rows}}


@routes.add("PATCH", PATH)
def patch_tasks(call: Call) -> Json:
    items = call.items()
    unknown = [[] if item.get("id") in call.account.tasks else [ItemError("id")] for item in items]
    _refuse(call, items, [_errors(call, item) + more for item, more in zip(items, unknown, strict=True)])
    rows = [_patched(call, call.account.tasks[item["id"]], item) for item in items]
    return {"_links": call.href(PATH), "_embedded": {"tasks": rows}}


@routes.add("PATCH", PATH + "/{id:int}")
def patch_task(call: Call) -> Json:
    task, item = call.account.tasks.get(call.path["id"]), call.item()
    if task is None:
        raise problem(404, "Task not found")
    _refuse(call, [item], [_errors(call, item)])
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
        "text": task.text,
        "result": task.result,
        "complete_till": task.complete_till,
        "account_id": call.account.id,
        "_links": call.href(f"{PATH}/{task.id}"),
    }


def _is_as_done_as_asked(call: Call, task: Task) -> bool:
    done = filter_node(call, "is_completed")
    return done is None or task.is_completed == (str(done) in ("1", "true"))


def _refuse(call: Call, items: list[Json], errors: list[list[ItemError]]) -> None:
    numbered = enumerate(zip(items, errors, strict=True))
    refused = [(item, str(item.get("request_id", place)), found) for place, (item, found) in numbered if found]
    if refused:
        raise invalid(call.switches, refused)


def _missing(item: Json) -> list[ItemError]:
    wanted = [key for key in ("text", "complete_till") if item.get(key) is None]
    return [ItemError(key, "FieldMissing", "This field is missing.") for key in wanted]


def _errors(call: Call, item: Json) -> list[ItemError]:
    errors = []
    if not isinstance(item.get("complete_till", 0), int):
        errors.append(wrong_type("complete_till", "int"))
    if not isinstance(item.get("text", ""), str):
        errors.append(wrong_type("text", "string"))
    user = call.account.users.get(item.get("responsible_user_id", call.user.id))
    if user is None or not user.is_active:
        errors.append(ItemError("responsible_user_id"))
    if item.get("entity_type") == "leads" and call.account.lead(item.get("entity_id", 0)) is None:
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
