"""What the pages ask their own server: the deal, edits by hand, the list of widgets, the widget's one-time token."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.person import Person
from sandbox.kommo.host.files import static_origin
from sandbox.kommo.host.installed import InstalledWidget, install_widget, shelf_of, widgets_of
from sandbox.kommo.host.views import card_of
from sandbox.kommo.records import Json, Lead
from sandbox.kommo.world import KommoWorld


def ajax_routes(world: KommoWorld) -> list[BaseRoute]:
    async def deal(request: Request) -> Response:
        account, lead = find_deal(world, request)
        return JSONResponse(card_of(account, lead))

    async def save(request: Request) -> Response:
        account, lead = find_deal(world, request)
        edited = save_deal(account, lead, _user_id(account, request), await request.json())
        return JSONResponse(card_of(account, edited))

    async def widgets(request: Request) -> Response:
        """``{"area"}``: every widget of the account; the page's runner decides which of them are started."""
        account = account_of(world, request)
        origin, language = static_origin(request), _language(account, request)
        return JSONResponse({"widgets": [listed(one, origin, language) for one in widgets_of(world, account)]})

    async def settings(request: Request) -> Response:
        widget = shelf_of(world)[request.path_params["client_id"]]
        body: Json = await request.json()
        widget.settings |= {str(name): str(value) for name, value in body.get("fields", {}).items()}
        widget.active = bool(body.get("active", widget.active))
        return JSONResponse({"saved": True})

    async def token(request: Request) -> Response:
        """Only for the page's own scripts, as jQuery marks them."""
        client_id = request.path_params["client_id"]
        if request.headers.get("X-Requested-With") != "XMLHttpRequest" or client_id not in world.integrations:
            return JSONResponse({"error": "forbidden"}, 403)
        account = world.account_of(client_id)
        return JSONResponse({"token": world.one_time_token(client_id, _user_id(account, request))})

    async def upload(request: Request) -> Response:
        """The archive as the body."""
        try:
            widget = install_widget(world, request.path_params["client_id"], await request.body())
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"code": widget.code, "version": widget.version})

    return [
        Route("/ajax/leads/detail/{lead_id:int}", deal),
        Route("/ajax/leads/detail/{lead_id:int}", save, methods=["POST"]),
        Route("/ajax/widgets/list", widgets, methods=["POST"]),
        Route("/ajax/widgets/{client_id}/settings", settings, methods=["POST"]),
        Route("/ajax/v2/integrations/{client_id}/disposable_token", token),
        Route("/_sandbox/widgets/{client_id}", upload, methods=["PUT"]),
    ]


def account_of(world: KommoWorld, request: Request) -> Account:
    """The account of the address's deal or ``?account=``, else the first."""
    lead_id = request.path_params.get("lead_id")
    owner = next((one for one in world.accounts.values() if lead_id and one.lead(lead_id)), None)
    asked = request.query_params.get("account")
    return owner or (world.accounts[int(asked)] if asked else world.account)


def find_deal(world: KommoWorld, request: Request) -> tuple[Account, Lead | None]:
    account = account_of(world, request)
    return account, account.lead(request.path_params["lead_id"])


def _user_id(account: Account, request: Request) -> int:
    """``?user=``, else the account's admin."""
    asked = int(request.query_params.get("user") or 0)
    return asked if asked in account.users else account.admin.id


def _language(account: Account, request: Request) -> str:
    return request.query_params.get("lang") or account.users[_user_id(account, request)].lang


def save_deal(account: Account, lead: Lead | None, user_id: int, given: dict[str, Any]) -> Lead:
    """*Save* in the card: name, budget as typed, stage."""
    price = float(str(given.get("price") or 0).replace(" ", "").replace(",", "."))
    if lead is None:
        return account.add_lead(str(given.get("name") or "New deal"), price, by=user_id)
    person = Person(account, user_id)
    person.edit_lead(lead.id, name=str(given.get("name", lead.name)), price=price)
    status_id = int(given.get("status_id", lead.status_id))
    return person.move_lead(lead.id, status_id) if status_id != lead.status_id else lead


def listed(widget: InstalledWidget, origin: str, language: str) -> Json:
    path = f"{origin}/widgets/{widget.code}"
    known = language if f"i18n/{language}.json" in widget.files else "en"
    fields = {code: field["type"] for code, field in widget.manifest.get("settings", {}).items()}
    return {
        "code": widget.code,
        "client_id": widget.client_id,
        "active": "Y" if widget.active else "N",
        "version": widget.version,
        "path": path,
        "src": f"{path}/script.js",
        "lang": f"{path}/i18n/{known}.json",
        "locations": widget.manifest["locations"],
        "init_once": widget.manifest["widget"].get("init_once", False),
        "support": widget.manifest["widget"].get("support", {}),
        "settings": widget.settings,
        "title": widget.words(known)["widget"]["name"],
        "dp_fields": {code: _action_title(widget, code, known) for code in _action_fields(widget)},
        "fields": {code: [kind, _field_title(widget, code, known)] for code, kind in fields.items()},
    }


def _action_fields(widget: InstalledWidget) -> Json:
    fields: Json = widget.manifest.get("dp", {}).get("settings", {})
    return fields


def _action_title(widget: InstalledWidget, code: str, language: str) -> str:
    return _said(widget, _action_fields(widget)[code]["name"], language)


def _field_title(widget: InstalledWidget, code: str, language: str) -> str:
    return _said(widget, widget.manifest["settings"][code]["name"], language)


def _said(widget: InstalledWidget, key: str, language: str) -> str:
    found: Any = widget.words(language)
    for part in key.split("."):
        found = found.get(part, "")
    return str(found)
