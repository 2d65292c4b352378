"""Open a permanent link: to the open session of its request, to a new session, or to a page that gives the state.

Before a session replaces another one, the old one is fetched or expired at Stripe, and that answer decides. While the
fate of the old one is unknown, no second one is made.
"""

from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import col

from backend.accounts.stripe.connections import stripe_api
from backend.core.errors import NotConnected
from backend.core.telemetry.lines import note
from backend.payments.checkout.lookup import facts_of_session, record_now
from backend.payments.checkout.orphaned import is_orphaned, mark_expired
from backend.payments.checkout.params import locale_of
from backend.payments.checkout.sessions import SessionOrder, commit_session, discard_session, make
from backend.payments.find import Link, find_link
from backend.resources import Resources
from backend.storage.models import PaymentRequest
from backend.stripe_api.client import Refused, Unreachable
from backend.stripe_api.events import EventContext

FRESH_SECONDS = 60.0
"""A session of at most this age is used as it is, without asking Stripe."""
LEAST_SECONDS = 3600.0
"""The least time that a client gets to pay; a session that expires sooner is replaced."""
ROUNDS = 4
"""Attempts to open a link. Each one learns from Stripe or from another opener; more would mean that openers race on."""
PAYABLE = ("pending", "failed")
"""The states of a request that can be paid."""
OVER = "over"
"""The state of a link whose time is over while its session is open: ``ending`` ends the
session before a page is shown."""


@dataclass(frozen=True, slots=True)
class ToCheckout:
    """A redirect to the open session. ``url``: its address at Stripe."""

    url: str


@dataclass(frozen=True)
class LinkState:
    """A page that gives the link's state.

    ``state``: the request's own, ``over``, ``moment`` (unknown at present), ``later`` (unknown until ``link.free_at``)
    or ``trouble`` (Stripe refused, or is disconnected).
    """

    state: str
    link: Link


async def peek(resources: Resources, token: str) -> LinkState:
    """Return the state from our database alone: preview bots open links, and must change nothing.
    Raises ``RequestNotFound``."""
    link = await find_link(resources, token)
    return LinkState(link.state, link)


async def open_link(
    resources: Resources, token: str, language: str | None = None, *, by_client: bool = True
) -> ToCheckout | LinkState:
    """Return the open session of a link for a person, or the page to show instead. Raises ``RequestNotFound``.

    ``language``: the link's own language code, or None. ``by_client``: record the opening; a rep's preview does not.
    """
    link = await find_link(resources, token)
    if by_client:
        await _note_opening(resources, link)
    language = language if by_client else None  # a preview changes nothing
    try:
        for _ in range(ROUNDS):
            if link.state not in PAYABLE:
                return LinkState(link.state, link)
            if link.is_past_end:
                return LinkState(OVER, link)
            opened = await _step_or_expire(resources, link, language)
            if opened is not None:
                return opened
            link = await find_link(resources, token)
    except Unreachable:
        return LinkState("moment", link)
    except (Refused, NotConnected):
        return LinkState("trouble", link)
    return LinkState("moment", link)


async def after_checkout(resources: Resources, token: str) -> LinkState:
    """Return the state for the page after Checkout; Stripe is asked while our ledger still
    has the request as payable."""
    link = await find_link(resources, token)
    if link.state not in PAYABLE or link.is_over:
        return LinkState(link.state, link)
    try:
        await ask_again(resources, link)
    except Unreachable:
        return LinkState("moment", link)
    except (Refused, NotConnected) as error:
        return LinkState("moment" if is_orphaned(link, error) else "trouble", link)
    link = await find_link(resources, token)
    return LinkState(OVER if link.is_past_end else link.state, link)


async def ask_again(resources: Resources, link: Link) -> None:
    """Fetch the current session from Stripe and record its facts. Raises ``Refused``,
    ``Unreachable`` or ``NotConnected``."""
    api = stripe_api(resources, link.holder)
    answer = await api.session(link.current.id)
    told = EventContext(resources.clock(), link.request.account_id)
    await record_now(resources, link.holder, await facts_of_session(api, answer, told))


async def _step_or_expire(resources: Resources, link: Link, language: str | None) -> ToCheckout | LinkState | None:
    try:
        return await _step(resources, link, language)
    except (Refused, NotConnected) as error:
        if not is_orphaned(link, error):
            raise
    if await mark_expired(resources, link):
        return None
    return LinkState("later" if resources.clock() < link.free_at else "moment", link)


async def _step(resources: Resources, link: Link, language: str | None) -> ToCheckout | LinkState | None:
    """Advance towards an answer by one step; None if the database now knows more than ``link``."""
    now = resources.clock()
    if link.is_over:
        return await _fresh(resources, link, language)
    is_fresh = now - link.current.made_at < FRESH_SECONDS and link.holder.state != "removed"
    if is_fresh and not _may_translate(link, language):
        return ToCheckout(link.current.url)
    api = stripe_api(resources, link.holder)
    answer = await api.session(link.current.id)
    is_foreign = _may_translate(link, language) and answer.get("locale") != locale_of(language)
    if answer["status"] == "open" and answer["expires_at"] - now >= LEAST_SECONDS and not is_foreign:
        return ToCheckout(answer["url"])
    if answer["status"] == "open":
        answer = await api.close_session(link.current.id)
    if answer["status"] == "open":  # a payment is being made, and its outcome is unknown
        return LinkState("moment", link)
    await record_now(
        resources, link.holder, await facts_of_session(api, answer, EventContext(now, link.request.account_id))
    )
    return None


def _may_translate(link: Link, language: str | None) -> bool:
    """True if a session in the link's own language may replace the one that was made with the link.

    That is so at the first opening only: no client has a Checkout page open yet that the replacement would expire.
    """
    return language is not None and link.request.opened_at is None and link.request.session_n == 1


async def _fresh(resources: Resources, link: Link, language: str | None) -> ToCheckout | LinkState | None:
    if link.maker is None:
        return LinkState("trouble", link)
    order = SessionOrder(link.request, link.maker, link.request.session_n + 1, language)
    answer = await make(resources, order)
    if await commit_session(resources, order, answer):
        return ToCheckout(answer["url"])
    await discard_session(resources, order, answer)
    return None


async def _note_opening(resources: Resources, link: Link) -> None:
    if link.request.opened_at is not None:
        return
    request = link.request
    async with resources.database.write() as session:
        noted = await session.exec(
            update(PaymentRequest)
            .where(
                col(PaymentRequest.account_id) == request.account_id,
                col(PaymentRequest.id) == request.id,
                col(PaymentRequest.opened_at).is_(None),
            )
            .values(opened_at=resources.clock())
        )
    if noted.rowcount:
        note("link opened", account=request.account_id, deal=request.lead_id, payment_request=request.id)
