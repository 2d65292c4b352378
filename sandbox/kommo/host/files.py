"""A widget's files, from another origin than the pages: ``localhost`` for ``127.0.0.1`` and the other way round."""

from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.kommo.host.installed import shelf_of
from sandbox.kommo.world import KommoWorld

_TWIN = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


def static_origin(request: Request) -> str:
    host = _TWIN.get(request.url.hostname or "", request.url.hostname)
    return f"{request.url.scheme}://{host}:{request.url.port}" if request.url.port else f"{request.url.scheme}://{host}"


def file_routes(world: KommoWorld) -> list[BaseRoute]:
    async def widget_file(request: Request) -> Response:
        found = next((one for one in shelf_of(world).values() if one.code == request.path_params["code"]), None)
        content = found.files.get(request.path_params["name"]) if found else None
        headers = {"Access-Control-Allow-Origin": "*"}
        if content is None:
            return Response("", 404, headers)
        return Response(content, 200, headers, guess_type(request.path_params["name"])[0])

    return [Route("/widgets/{code}/{name:path}", widget_file)]
