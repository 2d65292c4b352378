"""Routes of the previews' pictures, served from our database alone."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from backend.core.cache import CacheSpec
from backend.core.errors import RequestNotFound
from backend.core.money import Money, shown
from backend.payments.find import find_link
from backend.payments.merchant import Merchant
from backend.payments.statement import find_statement
from backend.resources import Resources
from backend.web.client.link_pages import texts_of
from backend.web.client.pictures.card import card
from backend.web.client.reader import reader_of
from backend.web.client.tokens import LinkToken, opened_links
from backend.web.http.deps import ResourcesDep
from backend.web.http.throttle import guesses

HEADERS = {"Cache-Control": "public, max-age=3600", "X-Robots-Tag": "noindex, nofollow"}
CARDS: CacheSpec[tuple[str, str, str], bytes] = CacheSpec(seconds=3600.0, most=100)
"""Drawn pictures of about ten kilobytes: a group chat fetches one many times."""

NOTHING: dict[int | str, dict[str, Any]] = {
    404: {"description": "No such link."},
    429: {"description": "Too often."},
    503: {"description": "Later."},
}
DRAWN: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "A picture."}, **NOTHING}

router = APIRouter(default_response_class=Response, responses=DRAWN)


@router.get("/p/{token}/picture.png", name="pay_picture")
@router.head("/p/{token}/picture.png", name="pay_picture", include_in_schema=False)
async def pay_picture(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Return the PNG of a link: merchant and amount. 404 for an unknown token, 429 if fetched too often, 503 without a
    database.
    """
    try:
        link = await find_link(resources, token)
    except RequestNotFound:
        return _none(request, resources)
    except (SQLAlchemyError, OSError):
        return Response(status_code=503)
    reader = reader_of(request)
    amount = shown(Money(link.request.amount, link.request.currency), reader.locale(link.account.timezone))
    return _drawn(request, resources, token, link.merchant, amount)


@router.get("/d/{token}/picture.png", name="statement_picture")
@router.head("/d/{token}/picture.png", name="statement_picture", include_in_schema=False)
async def statement_picture(request: Request, resources: ResourcesDep, token: LinkToken) -> Response:
    """Return the picture of a statement: merchant and title only, since chats would keep showing outdated sums.

    503 if the database does not answer.
    """
    try:
        found = await find_statement(resources, token)
    except RequestNotFound:
        return _none(request, resources)
    except (SQLAlchemyError, OSError):
        return Response(status_code=503)
    title = texts_of(reader_of(request).language)["statement_title"]
    return _drawn(request, resources, token, found.merchant, title)


def _none(request: Request, resources: Resources) -> Response:
    too_often = guesses(request, resources).miss(request.client.host if request.client else "")
    return Response(status_code=429 if too_often else 404)


def _drawn(request: Request, resources: Resources, token: str, merchant: Merchant, words: str) -> Response:
    if opened_links(request, resources).too_many(token):
        return Response(status_code=429)
    band = texts_of(reader_of(request).language)["test_band"] if merchant.is_test else ""
    cards, key = resources.caches[CARDS], (merchant.name, words, band)
    drawn = cards.get(key) or card(*key)
    cards.put(key, drawn)
    return Response(drawn, media_type="image/png", headers=HEADERS)
