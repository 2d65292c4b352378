"""Who a request to the set-up pages comes from, by a first-party cookie; and that a form was sent from our own page."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from backend.accounts.sessions import Visitor, signed, visitor_of
from backend.errors import NotAllowed
from backend.resources import Resources
from backend.signing import VISIT_SECONDS
from backend.web.deps import ResourcesDep

COOKIE = "kommo_stripe_setup"


class SignedOut(Exception):
    """Nobody is signed in (any more)."""


def current_visitor(request: Request) -> Visitor | None:
    return visitor_of(request.app.state.resources, request.cookies.get(COOKIE, ""))


def _visitor(request: Request) -> Visitor:
    found = current_visitor(request)
    if found is None:
        raise SignedOut
    return found


VisitorDep = Annotated[Visitor, Depends(_visitor)]


def _own_form(request: Request, resources: ResourcesDep) -> None:
    """A browser names the page that a form stands on; another site's is refused, beside the cookie's own SameSite."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = urlsplit(resources.addresses.public_url)
    from_us = origin == f"{ours.scheme}://{ours.netloc}" if origin else site in ("same-origin", "none")
    if not from_us or site not in (None, "same-origin", "none"):
        raise NotAllowed("This form was sent from another site. Nothing was changed. Open the set-up page and repeat.")


OwnForm = Depends(_own_form)


def let_in(resources: Resources, visitor: Visitor) -> RedirectResponse:
    answer = RedirectResponse("/admin", 303, headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE,
        signed(resources, visitor),
        max_age=VISIT_SECONDS,
        httponly=True,
        samesite="lax",
        secure=resources.addresses.public_url.startswith("https://"),
    )
    return answer
