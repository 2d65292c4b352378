"""Sign-in and sign-out of the admin's app: Kommo's single-use link, the operator's token, sign-out."""

from collections.abc import Awaitable
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from backend.accounts.tokens.proofs import knows_a_secret
from backend.admin.sessions import LinkOver, Visitor, end, end_all, enter, link_of
from backend.core.errors import NotAuthorized, TooManyTries
from backend.resources import Resources
from backend.web.client.previews import only_looks
from backend.web.frame.auth import COOKIE, OwnForm, cookie_name, cookie_of, current_visitor, let_in
from backend.web.frame.rendering import message, rendered, say
from backend.web.http.deps import ResourcesDep
from backend.web.http.form_body import form_body
from backend.web.http.language import of_page

router = APIRouter(prefix="/admin", include_in_schema=False)
T = TypeVar("T")


@router.api_route("/enter/{secret}", methods=["GET", "HEAD"])
async def show_link(request: Request, resources: ResourcesDep, secret: str) -> Response:
    """Return the page that names the link's account and asks for a press of a button. Raises ``LinkOver``.

    The press signs in, so another site can't change who is signed in by loading the link.
    """
    if only_looks(request):
        return message(request, "nav_setup", say(of_page(request), "in_once"))
    account, visitor = await _usable(request, link_of(resources, secret))
    request.state.language = visitor.language
    language, user_id = of_page(request), visitor.user_id
    return rendered("setup_enter.html", language=language, secret=secret, account=account, user_id=user_id)


@router.post("/enter/{secret}", dependencies=[OwnForm])
async def enter_by_link(request: Request, resources: ResourcesDep, secret: str) -> Response:
    """Use the link up, sign in and redirect to the app. Raises ``LinkOver``, counted as a failed try."""
    return await let_in(request, await _usable(request, enter(resources, secret)))


async def _usable(request: Request, link: Awaitable[T]) -> T:
    try:
        return await link
    except LinkOver as over:
        await request.app.state.admin_door.refuse(request, "link", over)
        raise


@router.post("/login", dependencies=[OwnForm])
async def log_in(request: Request) -> Response:
    """Sign the operator in with the ADMIN_TOKEN and redirect to the app.

    A wrong one, or too many tries, shows the sign-in page again with the reason and the error's status.
    """
    given = (await form_body(request)).get("token", "")
    try:
        await request.app.state.admin_door.check(request, given, "sign-in page")
    except (NotAuthorized, TooManyTries) as refusal:
        return login_page(request, refusal.message, status=refusal.status)
    return await let_in(request, Visitor())


def login_page(request: Request, wrong: str = "", *, status: int = 200, is_new: bool = False) -> Response:
    """Return the sign-in page in the browser's language; ``wrong`` is the reason of a refused try.

    ``is_new``: no integration is known yet, and the page says that the operator enters its keys.
    """
    return rendered("setup_login.html", status, language=of_page(request), wrong=wrong, is_new=is_new)


async def first_page(request: Request, resources: Resources, *, status: int = 200) -> Response:
    """Return the sign-in page for a person who has not tried yet."""
    return login_page(request, status=status, is_new=not await knows_a_secret(resources))


@router.post("/logout", dependencies=[OwnForm])
async def log_out(request: Request, resources: ResourcesDep) -> Response:
    """Sign out and redirect (303) to the sign-in page.

    With ``everywhere`` in the form everybody else who may see the same accounts is signed out too; this session ends
    even if Kommo refuses that or does not answer. Raises as ``visitor_of`` does.
    """
    try:
        if (await form_body(request)).get("everywhere") and (visitor := await current_visitor(request)):
            await end_all(resources, visitor)
    finally:
        await end(resources, cookie_of(request))
    answer = RedirectResponse("/admin", 303)
    answer.delete_cookie(cookie_name(resources), secure=cookie_name(resources) != COOKIE)
    return answer
