"""The payer's statement of a whole deal: what was agreed, paid, refunded, and is open."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from backend.core.errors import AlreadyPaid, ProductError, RequestNotFound
from backend.payments.statement import Statement, find_statement, pay_the_rest
from backend.resources import Resources
from backend.web.client.link_pages import HEADERS, plain_page
from backend.web.client.links import READ
from backend.web.client.reader import reader_of
from backend.web.client.single_flight import TakesLong, openings
from backend.web.client.statement_page import statement_page
from backend.web.client.tokens import LinkToken, opened_links
from backend.web.http.deps import ResourcesDep
from backend.web.http.language import kept, of_client
from backend.web.http.pages import html
from backend.web.http.throttle import address_of, guesses

router = APIRouter(default_response_class=HTMLResponse, responses=html(404, 429, 503))


@router.get("/d/{token}", name="statement")
@router.head("/d/{token}", name="statement", include_in_schema=False)
async def statement(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Return the statement's page from our database alone; reading it changes nothing.

    404 for an unknown token, 429 if it is opened too often, 503 while the database is down.
    """
    found = await _found(request, resources, token)
    return found if isinstance(found, Response) else _shown(request, resources, found)


@router.post("/d/{token}/pay", name="statement_pay", status_code=303)
async def pay(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Redirect to a link for the open amount; if that fails, return the statement with the reason.

    A POST, since preview bots send no forms.
    """
    found = await _found(request, resources, token)
    if isinstance(found, Response):
        return found
    try:
        link = await openings(request).share(f"pay_the_rest {token}", lambda: pay_the_rest(resources, found))
    except TakesLong:
        return _shown(request, resources, found, trouble="moment")
    except AlreadyPaid:
        return RedirectResponse(f"/d/{token}{kept(request)}", 303, headers=HEADERS)
    except ProductError:  # Stripe refused or did not answer: the rep sees why, the payer whom to write to
        return _shown(request, resources, found, trouble="trouble")
    return RedirectResponse(f"/p/{link}{kept(request)}", 303, headers=HEADERS)


@router.api_route("/d/{token}/pay", methods=READ, name="statement_pay", include_in_schema=False)
async def after_pay(request: Request, token: LinkToken) -> Response:
    """Redirect (303) a phone that reloads the button's answer without the form to the statement."""
    return RedirectResponse(f"/d/{quote(token)}{kept(request)}", 303, headers=HEADERS)


async def _found(request: Request, resources: Resources, token: str) -> Statement | Response:
    try:
        found = await find_statement(resources, token)
    except RequestNotFound:
        too_often = guesses(request, resources).miss(address_of(request))
        return plain_page("busy" if too_often else "unknown", of_client(request))
    except (SQLAlchemyError, OSError):
        return plain_page("moment", of_client(request))
    if opened_links(request, resources).too_many(token):
        return plain_page("busy", of_client(request))
    return found


def _shown(request: Request, resources: Resources, found: Statement, *, trouble: str = "") -> Response:
    return statement_page(
        found, reader_of(request), kept=kept(request), trouble=trouble, public_url=resources.addresses.public_url
    )
