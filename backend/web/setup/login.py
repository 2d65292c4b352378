"""Ways into the set-up pages and out of them: Kommo's single-use link, the operator's token, signing out."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from backend.admin.sessions import LinkOver, Visitor, end, end_all, enter
from backend.core.signing import same_secret
from backend.web.client.previews import only_looks
from backend.web.http.deps import ResourcesDep
from backend.web.http.pages import page
from backend.web.http.throttle import MissThrottle
from backend.web.setup.auth import COOKIE, OwnForm, current_visitor, let_in
from backend.web.setup.rendering import rendered

router = APIRouter(prefix="/admin")


@router.api_route("/enter/{secret}", methods=["GET", "HEAD"])
async def enter_by_link(request: Request, resources: ResourcesDep, secret: str) -> Response:
    """Programs that only look at a link don't use it up."""
    if only_looks(request):
        return page("Set-up", "This link opens the set-up of Stripe payments, once.")
    try:
        return await let_in(request, await enter(resources, secret))
    except LinkOver as over:
        return page("This link is over", over.message, status=over.status)


@router.post("/login", dependencies=[OwnForm])
async def log_in(request: Request, resources: ResourcesDep) -> Response:
    """With the ADMIN_TOKEN; thirty tries a minute from one address, then none is looked at."""
    given = str((await request.form()).get("token", ""))
    if not hasattr(request.app.state, "token_tries"):
        request.app.state.token_tries = MissThrottle(resources.clock)
    if request.app.state.token_tries.miss(request.client.host if request.client else ""):
        return login_page("Too many tries. Wait a minute.", status=429)
    if same_secret(given.strip(), request.app.state.admin_token):
        return await let_in(request, Visitor())
    return login_page("This is not the ADMIN_TOKEN of this server.", status=401)


def login_page(wrong: str = "", *, status: int = 200) -> Response:
    return rendered("setup_login.html", status, wrong=wrong)


@router.post("/logout", dependencies=[OwnForm])
async def log_out(request: Request, resources: ResourcesDep) -> Response:
    """Here, or with ``everywhere`` for everybody who may see the same."""
    visitor = await current_visitor(request)
    if visitor is not None and (await request.form()).get("everywhere"):
        await end_all(resources, visitor)
    await end(resources, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/admin", 303)
    answer.delete_cookie(COOKIE)
    return answer
