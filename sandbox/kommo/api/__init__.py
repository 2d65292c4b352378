"""API v4: the table of all routes."""

from starlette.routing import Route

from sandbox.kommo.api import catalogs, events, fields, groups, people, pipelines, webhooks
from sandbox.kommo.api.calls import Handler
from sandbox.kommo.api.chats import bots, talks
from sandbox.kommo.api.entry import endpoint, unknown_route
from sandbox.kommo.api.leads import lead_writes, leads, links, notes, tasks
from sandbox.kommo.world import KommoWorld

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "HEAD"]
# Literal paths stand before those with an id: the first route that fits is taken.
_MODULES = (
    people,
    groups,
    fields,
    pipelines,
    notes,
    lead_writes,
    leads,
    tasks,
    links,
    webhooks,
    events,
    catalogs,
    bots,
    talks,
)


def api_routes(world: KommoWorld) -> list[Route]:
    table: dict[str, dict[str, Handler]] = {}
    for module in _MODULES:
        for path, methods in module.routes.table.items():
            table.setdefault(path, {}).update(methods)
    paths = sorted(table, key=lambda path: path.count("{"))
    known = [Route(path, endpoint(world, table[path]), methods=_METHODS) for path in paths]
    unknown = endpoint(world, dict.fromkeys(_METHODS, unknown_route))
    return [*known, Route("/api/{rest:path}", unknown, methods=_METHODS)]
