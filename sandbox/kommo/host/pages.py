"""The pages a person opens: the deals, one deal's card, and the widget's settings."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.host.ajax import account_of, find_deal
from sandbox.kommo.host.designer import designer_view
from sandbox.kommo.host.installed import widgets_of
from sandbox.kommo.host.pipeline import pipeline_view
from sandbox.kommo.host.views import budget_text, card_of, user_view
from sandbox.kommo.records import Json
from sandbox.kommo.world import KommoWorld

HERE = Path(__file__).parent

_TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape())


def page_routes(world: KommoWorld) -> list[BaseRoute]:
    async def leads(request: Request) -> Response:
        account = account_of(world, request)
        rows = [
            {"lead": lead, "budget": budget_text(lead.price), "stage": account.status(lead.pipeline_id, lead.status_id)}
            for lead in account.leads.values()
            if not lead.is_deleted
        ]
        mine = [one for one in widgets_of(world, account) if one.active and "llist-1" in one.manifest["locations"]]
        actions = [{"code": one.code, "title": one.words("en")["widget"]["name"]} for one in mine]
        return _page(world, request, "leads.html", account, area="llist", rows=rows, actions=actions)

    async def card(request: Request) -> Response:
        account, lead = find_deal(world, request)
        if lead is None and request.path_params["lead_id"]:
            return HTMLResponse("This deal does not exist. <a href='/leads'>All deals</a>", 404)
        return _page(world, request, "deal.html", account, area="lcard", card=card_of(account, lead))

    async def settings(request: Request) -> Response:
        account = account_of(world, request)
        mine = widgets_of(world, account)
        titles = {one.code: one.words("en")["widget"]["name"] for one in mine}
        return _page(world, request, "settings.html", account, area="settings", widgets=mine, titles=titles)

    async def advanced(request: Request) -> Response:
        account = account_of(world, request)
        code = request.path_params["code"]
        return _page(world, request, "advanced.html", account, area="advanced-settings", code=code)

    async def pipeline(request: Request) -> Response:
        account = account_of(world, request)
        shown = pipeline_view(world, account, account.main_pipeline)
        return _page(world, request, "pipeline.html", account, area="digital-pipeline", pipeline=shown)

    async def designer(request: Request) -> Response:
        account = account_of(world, request)
        steps = designer_view(world, account)
        return _page(world, request, "designer.html", account, area="salesbot-designer", steps=steps)

    return [
        Route("/", RedirectResponse("/leads")),
        Route("/leads", leads),
        Route("/leads/detail/{lead_id:int}", card),
        Route("/settings/widgets", settings),
        Route("/settings/pipeline", pipeline),
        Route("/settings/salesbot", designer),
        Route("/settings/widgets/{code}", advanced),
    ]


def _page(world: KommoWorld, request: Request, name: str, account: Account, *, area: str, **facts: object) -> Response:
    """``facts`` go to the template, and what the scripts need stands in the page as JSON."""
    query = request.query_params
    asked = int(query.get("user") or 0)
    user = account.users.get(asked, account.admin)
    setting = {
        "area": area,
        "account": {"id": account.id, "subdomain": account.subdomain, "timezone": account.timezone},
        "user": user_view(user) | {"lang": query.get("lang") or user.lang},
        "users": [user_view(one) for one in account.users.values()],
        "token_minutes": world.one_time_seconds / 60,
        "card": facts.get("card"),
        "code": facts.get("code"),
        "pipeline": facts.get("pipeline"),
        "steps": facts.get("steps"),
        "dp_form": world.switches["dp_form"],
        "switch": query.get("switch", "new"),
        "panel": query.get("panel", "open"),
        "width": int(query.get("width") or 280),
        "container": query.get("container", "work-area"),
        "ajax": query.get("ajax", "present"),
        "contacts": query.get("contacts", "texts"),
    }
    shown: Json = {"account": account, "user": user, "setting": _embedded(setting)}
    shown |= {"theme": query.get("theme", "light"), "query": str(query)}
    return HTMLResponse(_TEMPLATES.get_template(name).render(**shown, **facts))


def _embedded(setting: Json) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(setting).replace("<", "\\u003c")
