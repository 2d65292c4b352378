"""Who a request to the set-up pages comes from, by a first-party cookie; and that a form was sent from our own page."""

from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from backend.admin.sessions import VISIT_SECONDS, Visitor, begin, visitor_of
from backend.core.errors import NotAllowed
from backend.resources import Resources
from backend.web.http.deps import ResourcesDep

COOKIE = "kommo_stripe_setup"


async def current_visitor(request: Request) -> Visitor | None:
    return await visitor_of(request.app.state.resources, request.cookies.get(COOKIE, ""), request.app.state.admin_token)


def check_own_form(request: Request, resources: ResourcesDep) -> None:
    """A browser names the page that a form stands on; another site's is refused, beside the cookie's own SameSite."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = urlsplit(resources.addresses.public_url)
    from_us = origin == f"{ours.scheme}://{ours.netloc}" if origin else site in ("same-origin", "none")
    if not from_us or site not in (None, "same-origin", "none"):
        raise NotAllowed("This form was sent from another site. Nothing was changed. Open the set-up page and repeat.")


OwnForm = Depends(check_own_form)


async def let_in(request: Request, visitor: Visitor) -> RedirectResponse:
    resources: Resources = request.app.state.resources
    answer = RedirectResponse("/admin", 303, headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE,
        await begin(resources, visitor, request.app.state.admin_token),
        max_age=VISIT_SECONDS,
        httponly=True,
        samesite="lax",
        secure=resources.addresses.public_url.startswith("https://"),
    )
    return answer
