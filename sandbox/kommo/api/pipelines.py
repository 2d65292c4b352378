"""Pipelines and their statuses (docs/facts/kommo-api.md 10)."""

from sandbox.kommo.api.calls import Call, Routes
from sandbox.kommo.problems import problem
from sandbox.kommo.records import LOST, WON, Json, Pipeline, Status

routes = Routes()
PATH = "/api/v4/leads/pipelines"


@routes.add("GET", PATH)
def list_pipelines(call: Call) -> Json:
    """All of them whatever page and limit say."""
    hides = call.switches.reads("archived_pipelines", "hidden")
    shown = [one for one in call.account.pipelines.values() if not (one.is_archive and hides)]
    rows = [pipeline_shape(call, one) for one in sorted(shown, key=lambda one: one.sort)]
    return {"_total_items": len(rows), "_links": call.href(PATH), "_embedded": {"pipelines": rows}}


@routes.add("GET", PATH + "/{id:int}")
def get_pipeline(call: Call) -> Json:
    return pipeline_shape(call, _found(call))


@routes.add("GET", PATH + "/{id:int}/statuses")
def list_statuses(call: Call) -> Json:
    pipeline = _found(call)
    rows = [status_shape(call, pipeline, status) for status in pipeline.statuses]
    links = call.href(f"{PATH}/{pipeline.id}/statuses")
    return {"_total_items": len(rows), "_links": links, "_embedded": {"statuses": rows}}


@routes.add("GET", PATH + "/{id:int}/statuses/{status_id:int}")
def get_status(call: Call) -> Json:
    pipeline = _found(call)
    status = pipeline.status(call.path["status_id"])
    if status is None:
        raise problem(404, "Status not found")
    return status_shape(call, pipeline, status)


def pipeline_shape(call: Call, pipeline: Pipeline) -> Json:
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "sort": pipeline.sort,
        "is_main": pipeline.is_main,
        "is_unsorted_on": any(status.type == 1 for status in pipeline.statuses),
        "is_archive": pipeline.is_archive,
        "account_id": call.account.id,
        "_links": call.href(f"{PATH}/{pipeline.id}"),
        "_embedded": {"statuses": [status_shape(call, pipeline, status) for status in pipeline.statuses]},
    }


def status_shape(call: Call, pipeline: Pipeline, status: Status) -> Json:
    return {
        "id": status.id,
        "name": status.name,
        "sort": _sort(call, status),
        "is_editable": status.is_editable,
        "pipeline_id": pipeline.id,
        "color": status.color,
        "type": status.type,
        "account_id": call.account.id,
        "_links": call.href(f"{PATH}/{pipeline.id}/statuses/{status.id}"),
    }


def _sort(call: Call, status: Status) -> int:
    if status.id in (WON, LOST) and call.switches.reads("closed_sort", "first"):
        return 1 if status.id == WON else 2
    return status.sort


def _found(call: Call) -> Pipeline:
    pipeline = call.account.pipelines.get(call.path["id"])
    if pipeline is None:
        raise problem(404, "Pipeline not found")
    return pipeline
