"""The Digital Pipeline: its stages, the actions of widgets in them, and saving such an action."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.host.ajax import account_of
from sandbox.kommo.host.installed import InstalledWidget, shelf_of, widgets_of
from sandbox.kommo.records import Json, Pipeline, Trigger
from sandbox.kommo.world import KommoWorld


def pipeline_view(world: KommoWorld, account: Account, pipeline: Pipeline) -> Json:
    """``{id, name, stages: [{id, name, color, actions}], widgets: [{client_id, code, title}]}``"""
    mine = [one for one in widgets_of(world, account) if "dp" in one.manifest]
    stages = [
        {"id": one.id, "name": one.name, "color": one.color, "actions": _actions(account, pipeline.id, one.id, mine)}
        for one in pipeline.statuses
    ]
    widgets = [{"client_id": one.client_id, "code": one.code, "title": _title(one)} for one in mine]
    return {"id": pipeline.id, "name": pipeline.name, "stages": stages, "widgets": widgets}


def pipeline_routes(world: KommoWorld) -> list[BaseRoute]:
    async def save(request: Request) -> Response:
        """``{"client_id", "status_id", "fields", "number"?}``: a new action, or another content of a stage's."""
        account, body = account_of(world, request), await request.json()
        widget = shelf_of(world)[body["client_id"]]
        made = Trigger(
            request.path_params["pipeline_id"],
            int(body["status_id"]),
            _url(widget),
            dict(body["fields"]),
            code=widget.code,
        )
        number = body.get("number")
        if number is None:
            account.triggers.append(made)
        else:
            account.triggers[number] = replace(account.triggers[number], settings=made.settings)
        return JSONResponse({"saved": True})

    return [Route("/ajax/pipelines/{pipeline_id:int}/actions", save, methods=["POST"])]


def _url(widget: InstalledWidget) -> str:
    return str(widget.manifest["dp"]["webhook_url"])


def _title(widget: InstalledWidget) -> str:
    return str(widget.words("en")["widget"]["name"])


def _actions(account: Account, pipeline_id: int, status_id: int, mine: list[InstalledWidget]) -> list[Json]:
    titles = {one.code: _title(one) for one in mine}
    return [
        {"number": number, "code": one.code, "title": titles[one.code], "fields": one.settings}
        for number, one in enumerate(account.triggers)
        if (one.pipeline_id, one.status_id) == (pipeline_id, status_id) and one.code in titles
    ]
