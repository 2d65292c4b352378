"""Pages for the operator only: all accounts, and the Kommo integrations that connect them."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from backend.accounts.install.add_integration import add_integration
from backend.accounts.install.pending import refused_tokens
from backend.accounts.install.waiting import waiting_installations
from backend.accounts.integrations import list_integrations, remove_integration
from backend.admin.accounts import list_accounts
from backend.admin.sessions import Visitor
from backend.core.errors import NotAllowed, ProductError
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.web.frame.auth import OwnForm, current_visitor
from backend.web.frame.login import first_page, login_page
from backend.web.frame.rendering import message, moment, rendered, say
from backend.web.http.deps import ResourcesDep
from backend.web.http.form_body import form_body
from backend.web.http.language import of_page

router = APIRouter(prefix="/admin", include_in_schema=False)
Typed = Mapping[str, str]
SECRETS = ("client_secret", "code")
DONE = ("kept", "connected", "removed")
"""Results of a form, each reported by the text ``op_done_…``."""
LATE = said("code_too_late")


@router.get("/accounts")
async def accounts(request: Request, resources: ResourcesDep, done: str = "") -> Response:
    """Return the list of accounts and integrations for the operator; ``done`` names the change to report.

    Without a session the sign-in page, and for an administrator of one account a refusal.
    """
    visitor = await current_visitor(request)
    if visitor is None:
        return await first_page(request, resources)
    return _no_operator(request, visitor) or await all_accounts(request, resources, done=done if done in DONE else "")


@router.post("/integrations", dependencies=[OwnForm])
async def add(request: Request, resources: ResourcesDep) -> Response:
    """Add or change an integration and redirect (303) to the list; a warning or a refusal shows the form again."""
    return await _done(request, resources, _add)


@router.post("/integrations/remove", dependencies=[OwnForm])
async def remove(request: Request, resources: ResourcesDep) -> Response:
    """Remove an integration and redirect (303) to the list; a refusal is shown there."""
    return await _done(request, resources, _remove)


def _no_operator(request: Request, visitor: Visitor) -> Response | None:
    if visitor.account_id is None:
        return None
    return message(request, "m_not_allowed", said("operator_only"), status=NotAllowed.status)


async def _done(
    request: Request, resources: Resources, act: Callable[[Resources, Typed, str], Awaitable[str]]
) -> Response:
    """Run a change. ``act`` returns a key of ``DONE``, or a sentence that must be shown."""
    visitor = await current_visitor(request)
    if visitor is None:
        return login_page(request, said("signed_out"), status=401)
    if refused := _no_operator(request, visitor):
        return refused
    typed = await form_body(request)
    try:
        outcome = await act(resources, typed, visitor.who)
    except ProductError as error:
        kept = {name: value for name, value in typed.items() if name not in SECRETS}
        return await all_accounts(request, resources, error=error, typed=kept)
    if outcome not in DONE:
        return await all_accounts(request, resources, done="kept", warning=outcome)
    return RedirectResponse(f"/admin/accounts?done={outcome}", 303)


async def _add(resources: Resources, typed: Typed, who: str) -> str:
    names = ("client_secret", "label", "code", "subdomain", "redirect_uri")
    given = {name: typed[name].strip() for name in names if typed.get(name, "").strip()}
    added = await add_integration(resources, typed.get("client_id", "").strip(), given, who=who)
    late = LATE if typed.get("which") == "waiting" and not added.account else ""
    return added.problem or late or ("connected" if added.account else "kept")


async def _remove(resources: Resources, typed: Typed, who: str) -> str:
    await remove_integration(resources, typed.get("client_id", ""), who=who)
    return "removed"


async def all_accounts(
    request: Request,
    resources: Resources,
    *,
    done: str = "",
    warning: str = "",
    error: ProductError | None = None,
    typed: Typed | None = None,
) -> Response:
    """Return the list of accounts and integrations with a form's result; ``typed`` has no secrets.

    The operator is no user of Kommo, so the page is in the browser's language.
    """
    language = of_page(request)
    return rendered(
        "setup_accounts.html",
        error.status if error else 200,
        language=language,
        moment=partial(moment, language=language),
        accounts=await list_accounts(resources),
        integrations=await list_integrations(resources),
        refused_tokens=await refused_tokens(resources),
        installations=await waiting_installations(resources),
        redirect_uri=resources.addresses.redirect_uri,
        uninstall_uri=f"{resources.addresses.public_url}/kommo/uninstall",
        done=say(language, f"op_done_{done}") if done else "",
        warning=warning,
        error=error,
        typed=typed or {},
    )
