"""A control call: the parsed body and query, and how a plain function becomes a route of ``/_sandbox``."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.records import Json
from sandbox.kommo.world import KommoWorld


@dataclass(frozen=True)
class Control:
    world: KommoWorld
    path: Json
    query: dict[str, str]
    body: Json

    @property
    def account(self) -> Account:
        """The account named by ``account_id`` in body or query, else the first."""
        account_id = self.body.get("account_id") or self.query.get("account_id")
        return self.world.accounts[int(account_id)] if account_id else self.world.account


Action = Callable[[Control], Any]


def control_route(world: KommoWorld, address: str, action: Action) -> Route:
    """``address`` is method and path. The result goes out as JSON; what is not found or understood is 400."""
    method, path = address.split(" ")

    async def answer(request: Request) -> Response:
        try:
            result = action(await _control(world, request))
            return JSONResponse(plain(await result if isinstance(result, Awaitable) else result))
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return Route(f"/_sandbox{path}", answer, methods=[method])


async def _control(world: KommoWorld, request: Request) -> Control:
    body = await request.body()
    parsed = json.loads(body) if body else {}
    if not isinstance(parsed, dict):
        raise ValueError("the body must be an object")
    return Control(world, dict(request.path_params), dict(request.query_params), parsed)


def plain(result: Any) -> Any:
    if is_dataclass(result) and not isinstance(result, type):
        return asdict(result)
    if isinstance(result, list):
        return [plain(one) for one in result]
    return result if result is not None else {}
