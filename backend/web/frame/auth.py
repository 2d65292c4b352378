"""Sign-in to the admin's app by a first-party cookie, and the check that a form was sent from our own page."""

from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from backend.admin.sessions import VISIT_SECONDS, Visitor, begin, visitor_of
from backend.admin.sign_ins import note_sign_in
from backend.core.errors import NotAllowed
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.web.http.deps import ResourcesDep
from backend.web.http.throttle import address_of

COOKIE = "kommo_stripe_setup"
READS = ("GET", "HEAD")


def cookie_name(resources: Resources) -> str:
    """Return the cookie's name.

    Under TLS it has the prefix that makes browsers refuse a cookie set by another host or without TLS.
    """
    return f"__Host-{COOKIE}" if _is_https(resources) else COOKIE


def _is_https(resources: Resources) -> bool:
    return resources.addresses.public_url.startswith("https://")


def cookie_of(request: Request) -> str:
    """Return the session cookie's value, '' without one."""
    return request.cookies.get(cookie_name(request.app.state.resources), "")


async def current_visitor(request: Request, *, finance: bool = False) -> Visitor | None:
    """Return who is signed in, None without a valid session.

    Kommo confirmed the role within the last minutes; for a change, Kommo is asked now. ``finance``: users of finance
    may see this page too. Raises as ``visitor_of`` does.
    """
    state = request.app.state
    changing = request.method not in READS
    cookie = cookie_of(request)
    visitor = await visitor_of(state.resources, cookie, state.admin_token, changing=changing, finance=finance)
    if visitor is not None:
        request.state.language = visitor.language
    return visitor


def check_own_form(request: Request, resources: ResourcesDep) -> None:
    """Refuse a form that another site sent, by the headers that browsers add; a second check besides SameSite.

    Raises ``NotAllowed``.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = _origin(resources.addresses.public_url)
    from_us = origin == ours if origin else site in ("same-origin", "none")
    if not from_us or site not in (None, "same-origin", "none"):
        raise NotAllowed(said("form_of_other_site"))


def _origin(url: str) -> str:
    """Return the origin of an address of ours as browsers write it: host in small letters and without accents, no
    default port.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host if host.isascii() else host.encode("idna").decode()
    is_usual = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{parts.port}"


OwnForm = Depends(check_own_form)


async def let_in(request: Request, visitor: Visitor) -> RedirectResponse:
    """Begin a session, record the sign-in and return a redirect to the app that sets the cookie."""
    resources: Resources = request.app.state.resources
    address = address_of(request)
    await note_sign_in(resources, account_id=visitor.account_id, who=visitor.who, address=address)
    answer = RedirectResponse("/admin", 303, headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
    answer.set_cookie(
        cookie_name(resources),
        await begin(resources, visitor, request.app.state.admin_token),
        max_age=VISIT_SECONDS,
        httponly=True,
        samesite="lax",
        secure=_is_https(resources),
    )
    return answer
