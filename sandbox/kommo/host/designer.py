"""The bots' designer: a widget's steps, the forms that it draws for them, and what it saves."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.hooks.designer import BadBot, checked
from sandbox.kommo.host.installed import InstalledWidget, widgets_of
from sandbox.kommo.records import Json
from sandbox.kommo.world import KommoWorld


@dataclass(frozen=True)
class DesignedStep:
    """A step as an administrator saved it; ``saved`` is what the widget gave for it."""

    client_id: str
    handler: str
    exits: tuple[str, ...]
    saved: str
    params: Json


_DESIGNED: WeakKeyDictionary[KommoWorld, list[DesignedStep]] = WeakKeyDictionary()


def designed_in(world: KommoWorld) -> list[DesignedStep]:
    """Oldest first."""
    return _DESIGNED.setdefault(world, [])


def designer_view(world: KommoWorld, account: Account) -> list[Json]:
    """The steps of the account's widgets: ``{code, client_id, handler, title, fields}``."""
    return [step for one in widgets_of(world, account) for step in _steps(one)]


def designer_routes(world: KommoWorld) -> list[BaseRoute]:
    async def save(request: Request) -> Response:
        """``{"client_id", "handler", "exits", "saved", "params"}``"""
        body = await request.json()
        exits = tuple(body["exits"])
        try:
            checked(body["saved"], exits)
        except BadBot as error:
            return JSONResponse({"error": str(error)}, 400)
        made = DesignedStep(body["client_id"], body["handler"], exits, body["saved"], body["params"])
        designed_in(world).append(made)
        return JSONResponse({"saved": True})

    return [Route("/ajax/salesbots", save, methods=["POST"])]


def _steps(widget: InstalledWidget) -> list[Json]:
    steps = {name: one for name, one in widget.manifest.get("salesbot_designer", {}).items() if name != "logo"}
    return [
        {
            "code": widget.code,
            "client_id": widget.client_id,
            "handler": name,
            "title": _said(widget, one["name"]),
            "fields": {code: _said(widget, field["name"]) for code, field in one["settings"].items()},
        }
        for name, one in steps.items()
    ]


def _said(widget: InstalledWidget, key: str) -> str:
    group, name = key.split(".")
    return str(widget.words("en")[group][name])
