"""The door of API v4: the token, the host, the account's payment, then the handler."""

from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

from sandbox.kommo import forms
from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import Pair
from sandbox.kommo.api.calls import Call, Handler, answered, parsed, refused
from sandbox.kommo.problems import Problem, page, problem
from sandbox.kommo.world import KommoWorld

_LARGEST = 1_000_000


def endpoint(world: KommoWorld, methods: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
    """One path with its methods, as a Starlette endpoint."""

    async def answer(request: Request) -> Response:
        try:
            call = await _call(world, request)
            handler = methods.get(request.method)
            if handler is None:
                raise problem(405, f"Method {request.method} is not allowed")
            return answered(handler(call))
        except Problem as error:
            return refused(error)

    return answer


def unknown_route(call: Call) -> None:
    raise problem(404, f"Cannot find {call.url}!")


async def _call(world: KommoWorld, request: Request) -> Call:
    pair = _pair(world, request)
    account = world.accounts[pair.account_id]
    _check_host(world, account, request)
    _check_paid(account, request.method)
    _check_size(world, await request.body())
    pair.seen = True
    return Call(
        world=world,
        account=account,
        integration=world.integrations[pair.client_id],
        user=world.user_of(pair),
        url=world.base_url or str(request.base_url).rstrip("/"),
        path=dict(request.path_params),
        query=forms.parse(request.query_params.multi_items()),
        body=await parsed(request),
        modified_since=_modified_since(request),
    )


def _pair(world: KommoWorld, request: Request) -> Pair:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    pair = world.wallet.by_access.get(token) if scheme == "Bearer" else None
    if pair is None or not world.access_is_live(pair):
        raise problem(401, "Unauthorized")
    return pair


def _modified_since(request: Request) -> float | None:
    header = request.headers.get("if-modified-since")
    return parsedate_to_datetime(header).timestamp() if header else None


def _check_host(world: KommoWorld, account: Account, request: Request) -> None:
    """All accounts share one host; a host that names an account must name the token's."""
    if world.is_other_host(request.headers.get("host", ""), account):
        if world.switches.reads("wrong_subdomain", "301"):
            raise page(301)
        raise problem(int(world.switches["wrong_subdomain"]), "Account not found")


def _check_paid(account: Account, method: str) -> None:
    if account.is_paid or (method == "GET" and account.switches.reads("unpaid", "reads")):
        return
    raise problem(402, "Account is not paid")


def _check_size(world: KommoWorld, body: bytes) -> None:
    if len(body) > _LARGEST and world.switches.reads("body_limit", "1_mb"):
        raise problem(413, "Request entity is too large")
