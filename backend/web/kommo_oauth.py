"""Kommo's OAuth routes: start of the sign-in, Kommo's callback, and the hook that revokes access."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import select
from starlette.datastructures import QueryParams

from backend.accounts.install.callback import Callback, Waits, connect
from backend.accounts.install.hosts import named_host
from backend.accounts.install.states import sign_state
from backend.accounts.install.uninstall import uninstall
from backend.accounts.integrations import named_integration
from backend.accounts.stripe.connections import connections_of
from backend.admin.sessions import Visitor
from backend.core.errors import BadCallback, NotAuthorized, NotConnected, ProductError
from backend.core.sentences.said import said
from backend.core.signing import opaque_id
from backend.kommo_api.auth.oauth import authorize_url
from backend.resources import Resources
from backend.storage.models import Account, Integration
from backend.web.frame.auth import current_visitor
from backend.web.frame.login import login_page
from backend.web.frame.rendering import message, say
from backend.web.http.deps import ResourcesDep, check_admin
from backend.web.http.language import of_page
from backend.web.http.oauth_cookie import browser_of, keep_browser
from backend.web.http.pages import html
from backend.web.http.schemas import refusals

router = APIRouter()
Text = Annotated[str, Query()]
WAITING = {
    Waits.KEY: ("m_key_missing", "m_key_missing_why"),
    Waits.HOST: ("m_confirms", "m_host_why"),
    Waits.ACCOUNT: ("m_confirms", "m_account_why"),
}
"""Title and sentence of the page for an installation that waits, as keys of the app's texts."""


@router.get(
    "/oauth/kommo/start",
    status_code=302,
    response_class=RedirectResponse,
    responses=refusals(401, 409, 422, 503),
)
async def start(request: Request, resources: ResourcesDep, client_id: Text = "", subdomain: Text = "") -> Response:
    """Redirect to Kommo's consent page with a signed state.

    Called with the ADMIN_TOKEN or from the set-up pages. ``subdomain``: the Kommo account that the operator expects; a
    code from another account waits for a confirmation. A browser can't send the token, so it gets the sign-in page or a
    page with the refusal; a program gets JSON. Raises ``NotConnected`` without a known integration.
    """
    try:
        return await _begun(request, resources, client_id, subdomain)
    except ProductError as refusal:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        if isinstance(refusal, NotAuthorized):
            return login_page(request, said("sign_in_first"), status=refusal.status)
        return message(request, "m_not_connected", refusal.message, status=refusal.status)


async def _begun(request: Request, resources: Resources, client_id: str, subdomain: str) -> RedirectResponse:
    """Return the redirect.

    A state begun in a browser is tied to that browser; one begun with the ADMIN_TOKEN is not.
    """
    visitor = await current_visitor(request)
    if visitor is None:
        await check_admin(request)
    is_operators = visitor is None or visitor.account_id is None
    wanted = client_id if visitor is None or is_operators else await _own_client_id(resources, visitor)
    integration = await _integration(resources, wanted)
    known = browser_of(request, resources.addresses.public_url)
    browser = "" if visitor is None else known or opaque_id(resources.randomness)
    state = await sign_state(
        resources,
        integration.client_id,
        by_operator=is_operators,
        browser=browser,
        host=named_host(resources, subdomain) if subdomain and is_operators else "",
    )
    url = authorize_url(resources.addresses.kommo_oauth_url, integration.client_id, state)
    answer = RedirectResponse(url, 302)
    if browser:
        keep_browser(answer, browser, resources.addresses.public_url)
    return answer


async def _own_client_id(resources: Resources, visitor: Visitor) -> str:
    """Return the client id of the visitor's own account: a visitor from Kommo may connect with no other integration."""
    async with resources.database.read() as session:
        account = await session.get(Account, visitor.account_id)
    if account is None or not account.client_id:
        raise NotConnected(said("account_without_integration"))
    return account.client_id


async def _integration(resources: Resources, client_id: str) -> Integration:
    """Return the named integration; without a name the first one, those of the environment first."""
    async with resources.database.read() as session:
        chosen = select(Integration).order_by(Integration.source.desc(), Integration.client_id)  # type: ignore[attr-defined]
        found = await named_integration(session, client_id) if client_id else (await session.exec(chosen)).first()
    if found is None:
        raise NotConnected(said("no_integration_yet", address=f"{resources.addresses.public_url}/admin/accounts"))
    return found


@router.get("/oauth/kommo/callback", response_class=HTMLResponse, responses=html(400, 403, 404, 409, 422, 502, 503))
async def callback(resources: ResourcesDep, request: Request) -> HTMLResponse:
    """Exchange Kommo's code, sent through the admin's browser or the install hook, and return a page with the result.

    A ``ProductError`` becomes a page with its status. The worker creates fields and webhooks later. The code is valid
    for 20 minutes (docs/facts/kommo-api.md 2).
    """
    given = request.query_params
    try:
        if "error" in given:
            raise _declined(given["error"])
        account = await connect(resources, _said(given, browser_of(request, resources.addresses.public_url)))
    except ProductError as refusal:
        return _not_connected(request, refusal)
    language, address = of_page(request), f"{resources.addresses.public_url}/admin"
    if isinstance(account, Waits):
        title, why = WAITING[account]
        return message(request, title, say(language, why, address=f"{address}/accounts"))
    connected = say(language, "m_account_connected", account=account.subdomain or account.id)
    next_step = say(language, await _next_step(resources, account), address=address)
    return message(request, "m_connected", f"{connected} {next_step}")


def _not_connected(request: Request, refusal: ProductError) -> HTMLResponse:
    answer = message(request, "m_not_connected", refusal.message, status=refusal.status)
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


async def _next_step(resources: Resources, account: Account) -> str:
    """Return the key of the text that says what to do next."""
    async with resources.database.read() as session:
        connections = await connections_of(session, account.id)
    if any(one.state == "active" and one.api_key for one in connections):
        return "m_close"
    return "m_next"


def _said(given: QueryParams, browser: str) -> Callback:
    """Return the callback's parameters.

    Kommo's docs spell ``referer`` in all examples and ``referrer`` in one sentence.
    """
    return Callback(
        code=given.get("code", ""),
        referer=given.get("referer") or given.get("referrer") or "",
        client_id=given.get("client_id", ""),
        state=given.get("state", ""),
        from_widget=given.get("from_widget") == "1",
        browser=browser,
    )


def _declined(error: str) -> BadCallback:
    if error == "access_denied":
        return BadCallback(said("access_declined"))
    return BadCallback(said("kommo_reported_error"))


@router.get("/kommo/uninstall", responses=refusals(400, 403, 404, 422, 503))
async def removed(
    resources: ResourcesDep, client_uuid: Text = "", account_id: Text = "", signature: Text = ""
) -> dict[str, bool]:
    """Disconnect the account after Kommo's "access revoked" hook (docs/facts/kommo-api.md 3); return ``{"received":
    true}``.

    Idempotent, since its signature holds no timestamp and can be replayed. Raises ``BadSignature`` or ``LaneFull``.
    """
    await uninstall(resources, client_uuid, account_id, signature)
    return {"received": True}
