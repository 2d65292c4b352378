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
from backend.core.signing import opaque_id
from backend.kommo_api.auth.oauth import authorize_url
from backend.resources import Resources
from backend.storage.models import Account, Integration
from backend.web.frame.auth import current_visitor
from backend.web.frame.login import login_page
from backend.web.http.deps import ResourcesDep, check_admin
from backend.web.http.oauth_cookie import browser_of, keep_browser
from backend.web.http.pages import html, page
from backend.web.http.schemas import refusals

router = APIRouter()
Text = Annotated[str, Query()]
WAITING = {
    Waits.KEY: (
        "The secret key is missing",
        "Kommo's code was kept for 20 minutes. Until then this server's operator adds the integration's secret key at "
        "{place}, and the account connects.",
    ),
    Waits.HOST: (
        "The operator confirms the account",
        "Kommo's code was kept for 20 minutes. Until then this server's operator confirms at {place} that this Kommo "
        "account may connect. The operator may also press Connect there, which needs no confirmation.",
    ),
    Waits.ACCOUNT: (
        "The operator confirms the account",
        "The integration belongs to another Kommo account already. This one connects as soon as this server's operator "
        "confirms it at {place}, within a day.",
    ),
}


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
            return login_page("Sign in first, then press Connect.", status=refusal.status)
        return page("Not connected", refusal.message, status=refusal.status)


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
        raise NotConnected("This account was not connected by an integration. The operator of this server connects it.")
    return account.client_id


async def _integration(resources: Resources, client_id: str) -> Integration:
    """Return the named integration; without a name the first one, those of the environment first."""
    async with resources.database.read() as session:
        chosen = select(Integration).order_by(Integration.source.desc(), Integration.client_id)  # type: ignore[attr-defined]
        found = await named_integration(session, client_id) if client_id else (await session.exec(chosen)).first()
    if found is None:
        raise NotConnected(
            "This server knows no Kommo integration yet. Its operator enters the Integration ID and the secret key at "
            f"{resources.addresses.public_url}/admin/accounts."
        )
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
        return _not_connected(refusal)
    if isinstance(account, Waits):
        title, text = WAITING[account]
        return page(title, text.format(place=f"{resources.addresses.public_url}/admin/accounts"))
    connected = f"The Kommo account {account.subdomain or account.id} is connected."
    return page("Connected", f"{connected} {await _next_step(resources, account)}")


def _not_connected(refusal: ProductError) -> HTMLResponse:
    answer = page("Not connected", refusal.message, status=refusal.status)
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


async def _next_step(resources: Resources, account: Account) -> str:
    async with resources.database.read() as session:
        connections = await connections_of(session, account.id)
    if any(one.state == "active" and one.api_key for one in connections):
        return "Deal fields and the webhook are being created; you may close this page."
    return (
        "Deal fields are being created. Next, connect Stripe: in Kommo, open the widget's Settings and press "
        "Open set-up. "
        f"The operator of this server signs in at {resources.addresses.public_url}/admin."
    )


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
        return BadCallback("Access was declined in Kommo. Nothing was changed. Start again and press Allow to connect.")
    return BadCallback("Kommo reported an error. Nothing was changed. Start again.")


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
