"""Additions to the page of a received payment: its method, the next step, and the way to Stripe's receipt."""

from contextlib import suppress
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from backend.core.errors import NotConnected, RequestNotFound
from backend.payments.afterwards import Afterwards, afterwards
from backend.payments.checkout.open import LinkState, ToCheckout
from backend.payments.find import Link, find_link
from backend.payments.receipt import has_receipt, receipt_address, with_methods, without_method
from backend.resources import Resources
from backend.stripe_api.client import Refused, Unreachable
from backend.web.client.link_pages import HEADERS, link_page, plain_page
from backend.web.client.previews import only_looks
from backend.web.client.reader import reader_of
from backend.web.client.single_flight import TakesLong, openings
from backend.web.client.tokens import LinkToken, opened_links
from backend.web.http.deps import ResourcesDep
from backend.web.http.language import kept, of_client
from backend.web.http.pages import html
from backend.web.http.throttle import address_of, guesses

METHOD_PATIENCE = 2.0
"""Seconds that a page waits for the payment's method, which it can do without."""

Opened = ToCheckout | LinkState

router = APIRouter(default_response_class=HTMLResponse, responses=html(404, 429, 503))
log = structlog.get_logger()


async def completed(request: Request, resources: Resources, opened: Opened) -> tuple[Opened, Afterwards | None]:
    """Add the payment method and the next steps to a paid link opened by a person; else return it unchanged with None.

    A method that Stripe does not tell within ``METHOD_PATIENCE`` is left out.
    """
    if isinstance(opened, ToCheckout) or opened.state != "paid" or only_looks(request):
        return opened, None
    link = opened.link
    unknown = without_method(resources, link)
    if unknown:
        with suppress(TakesLong):
            link = await openings(request).share(
                f"methods {link.request.link_token}", lambda: with_methods(resources, link, unknown), METHOD_PATIENCE
            )
    return LinkState(opened.state, link), await afterwards(resources, link)


@router.get("/p/{token}/receipt/{payment_id}", name="pay_receipt", responses={303: {"description": "To the receipt."}})
@router.head("/p/{token}/receipt/{payment_id}", name="pay_receipt", include_in_schema=False)
async def pay_receipt(
    request: Request, resources: ResourcesDep, token: LinkToken, payment_id: Annotated[str, Path(max_length=255)]
) -> Response:
    """Redirect to Stripe's receipt page, whose address is fetched each time.

    Preview bots are sent to the link's own page.
    """
    try:
        link = await find_link(resources, token)
    except RequestNotFound:
        too_often = guesses(request, resources).miss(address_of(request))
        return plain_page("busy" if too_often else "unknown", of_client(request))
    except (SQLAlchemyError, OSError) as error:
        log.error("database unavailable", reason=type(error).__name__)
        return plain_page("moment", of_client(request))
    if only_looks(request) or not any(one.id == payment_id for one in link.received):
        return RedirectResponse(f"/p/{link.request.link_token}{kept(request)}", 303, headers=HEADERS)
    if opened_links(request, resources).too_many(token):
        return plain_page("busy", of_client(request))
    address = await _address(request, resources, link, payment_id)
    if address is None:
        public_url = resources.addresses.public_url
        return link_page("receipt", link, reader_of(request), query=kept(request), public_url=public_url)
    return RedirectResponse(address, 303, headers=HEADERS)


async def _address(request: Request, resources: Resources, link: Link, payment_id: str) -> str | None:
    """Return the receipt's address; None if Stripe has none, refuses, or takes too long."""
    payment = next(one for one in link.received if one.id == payment_id)
    if not has_receipt(payment):
        return None
    with suppress(TakesLong, Refused, Unreachable, NotConnected):
        return await openings(request).share(
            f"receipt {payment_id} {link.account.id}", lambda: receipt_address(resources, link, payment)
        )
    return None
