"""The permanent payment link, and the two addresses to which Checkout returns the payer.

Uses the database and Stripe, never Kommo and never the worker. ``HEAD`` requests and link-preview bots get the page
from our database alone and change nothing.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from backend.core.cache import CacheSpec
from backend.core.errors import RequestNotFound, TooManyTries
from backend.payments.checkout.open import PAYABLE, LinkState, ToCheckout, after_checkout, open_link, peek
from backend.payments.checkout.version import Version, link_version
from backend.payments.ending import ended_where_over
from backend.payments.find import Link
from backend.payments.preview import MARK, is_preview
from backend.resources import Resources
from backend.web.client.link_pages import ASK_AGAIN, HEADERS, link_page, plain_page
from backend.web.client.previews import only_looks
from backend.web.client.reader import reader_of
from backend.web.client.receipts import completed
from backend.web.client.single_flight import PATIENCE_SECONDS, TakesLong, openings
from backend.web.client.tokens import LinkToken, opened_links
from backend.web.http.deps import ResourcesDep
from backend.web.http.language import kept, of_client, of_link
from backend.web.http.pages import html
from backend.web.http.throttle import address_of, guesses

READ = ["GET", "HEAD"]
TO_CHECKOUT: dict[int | str, dict[str, Any]] = {303: {"description": "To Stripe's Checkout."}}
ASKS_BY_ITSELF = 5
"""Seconds between the reloads of a page that waits for Stripe's answer."""
OPENS_IN = 2
"""Seconds until an empty tab becomes a page that says the payment page is opening, and between its reloads."""
ASKS = 12
"""Reloads of one page at most: a page left open all night must not use up the merchant's rate limit at Stripe."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Stripe's answer about a link. ``version``: that of the link's data before Stripe was asked; None if unknown."""

    said: ToCheckout | str
    version: Version | None


ANSWERS: CacheSpec[tuple[str, str], Remembered] = CacheSpec(seconds=10.0, most=10_000)
"""Stripe's last answer about a link's session, or the link's state; by who asked and the link's token."""
PRESSED = "open"
"""Set by the button on the page for preview bots: a person who was taken for a bot and presses it is served."""

Opened = ToCheckout | LinkState

router = APIRouter(default_response_class=HTMLResponse, responses=html(404, 429, 503))
log = structlog.get_logger()


@router.get("/p/{token}", name="pay_link", responses=TO_CHECKOUT)
@router.head("/p/{token}", name="pay_link", include_in_schema=False)
async def pay_link(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Redirect the payer to Stripe's Checkout (303), or return the page that says why not.

    404 for an unknown token, 429 if it is opened too often, 503 while nothing is known.
    """
    looks = only_looks(request) and not (request.method == "GET" and PRESSED in request.query_params)
    ask = _preview if is_preview(resources, token, request.query_params.get(MARK, "")) else _open
    opening = peek(resources, token) if looks else _asked_of_stripe(request, resources, token, ask)
    return await _answer(request, resources, opening, pending="preview")


@router.get("/p/{token}/thanks", name="pay_thanks")
@router.head("/p/{token}/thanks", name="pay_thanks", include_in_schema=False)
async def pay_thanks(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Return the page after Checkout reported a payment.

    Anybody may know this address, so Stripe is asked for the real state.
    """
    return await _answer(request, resources, _back(request, resources, token), pending="waiting")


@router.get("/p/{token}/back", name="pay_back")
@router.head("/p/{token}/back", name="pay_back", include_in_schema=False)
async def pay_back(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Return the page for a payer who left Checkout without paying (statuses as ``pay_link``), after asking Stripe."""
    return await _answer(request, resources, _back(request, resources, token), pending="back")


def _back(request: Request, resources: Resources, token: str) -> Coroutine[Any, Any, Opened]:
    return peek(resources, token) if only_looks(request) else _asked_of_stripe(request, resources, token, _returned)


async def _open(request: Request, resources: Resources, token: str) -> Opened:
    return await ended_where_over(resources, await open_link(resources, token, of_link(request)))


async def _preview(request: Request, resources: Resources, token: str) -> Opened:
    """Open the link for a user. The answer is cached apart from the payer's, whose openings are recorded."""
    opened = await open_link(resources, token, of_link(request), by_client=False)
    return await ended_where_over(resources, opened)


async def _returned(_: Request, resources: Resources, token: str) -> Opened:
    return await ended_where_over(resources, await after_checkout(resources, token))


async def _asked_of_stripe(
    request: Request,
    resources: Resources,
    token: str,
    ask: Callable[[Request, Resources, str], Coroutine[Any, Any, Opened]],
) -> Opened:
    """Return Stripe's answer, asked at most once in ten seconds.

    If our database has newer data than the cached answer, its state comes first. Raises ``RequestNotFound`` for an
    unknown token, ``TooManyTries`` for a link opened too often.
    """
    answers, key = resources.caches[ANSWERS], (ask.__name__, token)
    version = await link_version(resources, token)
    seen = await peek(resources, token) if version is None else None  # raises for an unknown link
    if opened_links(request, resources).too_many(token):
        raise TooManyTries("This link is opened too often. Wait a minute.")
    known = answers.get(key)
    if known is not None and version is not None and known.version == version and isinstance(known.said, ToCheckout):
        return known.said
    seen = seen or await peek(resources, token)
    if known is not None and seen.state in PAYABLE and not (seen.link.is_over or seen.link.is_past_end):
        return LinkState(known.said, seen.link) if isinstance(known.said, str) else known.said
    opens = ask is not _returned and _asked(request) < ASKS
    patience = OPENS_IN if opens else PATIENCE_SECONDS
    try:
        opened = await openings(request).share(
            f"{ask.__name__} {token}", lambda: ask(request, resources, token), patience
        )
    except TakesLong:
        seen = await peek(resources, token)
        return LinkState("opening" if opens else "moment", seen.link) if seen.state in PAYABLE else seen
    if isinstance(opened, ToCheckout) or opened.state != "moment":  # "moment": Stripe did not answer
        answers.put(key, Remembered(opened if isinstance(opened, ToCheckout) else opened.state, version))
    return opened


async def _answer(request: Request, resources: Resources, opening: Awaitable[Opened], *, pending: str) -> Response:
    language = of_client(request)
    try:
        opened = await opening
        opened, after = await completed(request, resources, opened)
    except TooManyTries:
        return plain_page("busy", language)
    except RequestNotFound:
        too_often = guesses(request, resources).miss(address_of(request))
        return plain_page("busy" if too_often else "unknown", language)
    except (SQLAlchemyError, OSError) as error:
        log.error("database unavailable", reason=type(error).__name__)
        return plain_page("moment", language)
    if isinstance(opened, ToCheckout):
        return RedirectResponse(opened.url, 303, headers=HEADERS)
    name = _page_name(opened, pending, _asked(request))
    query = kept(request, **{PRESSED: "1"} if name == "preview" else {}, **_mark(request))
    return link_page(
        name,
        opened.link,
        reader_of(request),
        query=query,
        refresh=_refresh(request, name),
        after=after,
        public_url=resources.addresses.public_url,
    )


def _asked(request: Request) -> int:
    """Return how often the page has reloaded itself."""
    told = request.query_params.get("asked", "")
    return int(told) if re.fullmatch("[0-9]{1,3}", told) else 0


def _refresh(request: Request, name: str) -> str | None:
    """The header by which a page asks again by itself, of the address that it stands at."""
    seconds = {"waiting": ASKS_BY_ITSELF, "moment": ASK_AGAIN["moment"], "opening": OPENS_IN}.get(name)
    if seconds is None or _asked(request) >= ASKS:
        return None
    pressed = {PRESSED: "1"} if PRESSED in request.query_params else {}
    query = kept(request, asked=str(_asked(request) + 1), **pressed, **_mark(request))
    return f"{seconds}; url={quote(request.url.path)}{query}"


def _mark(request: Request) -> dict[str, str]:
    """A representative's preview stays one on the pages behind it, as long as its mark is good."""
    mark = request.query_params.get(MARK)
    return {MARK: mark} if mark else {}


def _page_name(shown: LinkState, pending: str, asked: int) -> str:
    """Return the page's name; ``waiting`` only while Stripe's answer can still come.

    For an ended or long unpaid session no answer comes any more.
    """
    if shown.state in PAYABLE and shown.link.is_past_end:
        return "expired"
    if shown.state in PAYABLE and pending == "preview":
        return "preview"
    if shown.state == "failed" or (shown.state == "pending" and shown.link.has_failed):
        return "failed"
    if shown.state == "pending":
        return "back" if shown.link.is_over or asked >= ASKS else pending
    return _paid_page(shown.link) if shown.state == "paid" else shown.state


def _paid_page(link: Link) -> str:
    if not link.received:
        return "settled"
    if not link.returned:
        return "paid"
    return "returned" if link.returned == sum(payment.amount for payment in link.received) else "partly_returned"
