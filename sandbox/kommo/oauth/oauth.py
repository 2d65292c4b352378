"""OAuth as a browser and a server meet it: consent, tokens, the subdomain (docs/facts/kommo-api.md 1, 2)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.api.calls import parsed, refused
from sandbox.kommo.oauth.exchange import exchange
from sandbox.kommo.oauth.oauth_errors import bad_account
from sandbox.kommo.problems import Problem, problem
from sandbox.kommo.records import Json, User
from sandbox.kommo.world import KommoWorld

_templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


def oauth_routes(world: KommoWorld) -> list[Route]:
    async def consent(request: Request) -> Response:
        return _consent(world, request)

    async def token(request: Request) -> Response:
        try:
            body = await parsed(request)
            _check_host(world, body, request.headers.get("host", ""))
            return JSONResponse(exchange(world, body))
        except Problem as error:
            return refused(error)

    async def subdomain(request: Request) -> Response:
        try:
            return JSONResponse(_subdomain(world, request.headers.get("x-refresh-token", "")))
        except Problem as error:
            return refused(error)

    return [
        Route("/oauth", consent),
        Route("/oauth2/access_token", token, methods=["POST"]),
        Route("/oauth2/account/current/subdomain", subdomain),
    ]


def _check_host(world: KommoWorld, body: Any, host: str) -> None:
    """At another account's host not even the token endpoint knows the integration."""
    integration = world.integrations.get(str(body.get("client_id"))) if isinstance(body, dict) else None
    if integration and world.is_other_host(host, world.account_of(integration.client_id)):
        raise bad_account(world.switches)


def _consent(world: KommoWorld, request: Request) -> Response:
    """The page with Allow and Decline; ``auto=allow`` or ``auto=decline`` is the press of a button."""
    asked = request.query_params
    integration = world.integrations.get(asked.get("client_id", ""))
    if integration is None:
        return HTMLResponse("<h1>Integration not found</h1>", 404)
    user = _user(world, integration, asked.get("user_id", ""))
    if asked.get("auto"):
        return RedirectResponse(_decided(world, integration, user, asked["auto"], asked.get("state")), 302)
    links = {choice: f"/oauth?{urlencode([*asked.multi_items(), ('auto', choice)])}" for choice in ("allow", "decline")}
    account = world.account_of(integration.client_id)
    text = _templates.get_template("consent.html").render(
        integration=integration, account=account, user=user, mode=asked.get("mode", ""), **links
    )
    return HTMLResponse(text)


def _user(world: KommoWorld, integration: Integration, user_id: str) -> User:
    """The person in front of the page: the account's admin unless ``user_id`` says otherwise."""
    account = world.account_of(integration.client_id)
    return account.users.get(int(user_id) if user_id.isdigit() else 0) or account.admin


def _decided(world: KommoWorld, integration: Integration, user: User, choice: str, state: str | None) -> str:
    if choice == "allow":
        return redirect(world, integration, world.issue_code(integration.client_id, user.id), state=state)
    answer = {"error": "access_denied", "client_id": integration.client_id, "state": state or ""}
    return _joined(integration.redirect_uri, answer)


def redirect(world: KommoWorld, integration: Integration, code: str, *, state: str | None, **more: str) -> str:
    """The redirect URI with its parameters, as a browser or the install hook calls it."""
    host = world.host_of(world.account_of(integration.client_id))
    parameters = {"code": code, world.switches["referer_name"]: host, "client_id": integration.client_id, **more}
    if state is not None:
        parameters["state"] = state
    if world.switches.reads("platform_parameter", "present"):
        parameters["platform"] = "2"
    return _joined(integration.redirect_uri, parameters)


def _joined(address: str, parameters: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"


def _subdomain(world: KommoWorld, refresh_token: str) -> Json:
    if world.switches.reads("subdomain_route", "absent"):
        raise problem(404, "Cannot GET /oauth2/account/current/subdomain!")
    pair = world.wallet.by_refresh.get(refresh_token)
    if pair is None or not world.refresh_is_live(pair):
        raise problem(401, "Unauthorized")
    account = world.accounts[pair.account_id]
    domain = f"{account.subdomain}.kommo.com"
    return {"id": account.id, "subdomain": account.subdomain, "domain": domain, "top_level_domain": "com"}
