"""Open a permanent link: to the one open session of its request, to a fresh one, or to what must be said instead.

Before a session takes another's place, the old one is fetched (or expired) at Stripe and that answer decides. Where
nobody can say what became of the old one, no second is made.
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
"""So young a session is still what Stripe said of it."""
LEAST_SECONDS = 3600.0
"""A client needs time to pay; a session with less left is replaced."""
ROUNDS = 4
"""Each round learns something from Stripe or from another opener; more means that they chase each other."""
PAYABLE = ("pending", "failed")
OVER = "over"
"""Its time is over, and its session is not: that is to be ended (``ending``) before anything is said."""


@dataclass(frozen=True, slots=True)
class ToCheckout:
    url: str


@dataclass(frozen=True)
class LinkState:
    """A page: ``state`` is the request's own, or ``moment`` (nobody knows yet), ``later`` (nor will before
    ``link.free_at``) or ``trouble`` (Stripe said no)."""

    state: str
    link: Link


async def peek(resources: Resources, token: str) -> LinkState:
    """The state as our database has it: for preview bots, who must not cause anything."""
    link = await find_link(resources, token)
    return LinkState(link.state, link)


async def open_link(
    resources: Resources, token: str, language: str | None = None, *, by_client: bool = True
) -> ToCheckout | LinkState:
    """For a person; ``language`` is the link's own. ``by_client``: note the opening. Raises ``RequestNotFound``."""
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
            opened = await _step_or_let_go(resources, link, language)
            if opened is not None:
                return opened
            link = await find_link(resources, token)
    except Unreachable:
        return LinkState("moment", link)
    except (Refused, NotConnected):
        return LinkState("trouble", link)
    return LinkState("moment", link)


async def after_checkout(resources: Resources, token: str) -> LinkState:
    """After Checkout: the real state, asked of Stripe while our ledger does not have it yet."""
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
    """Fetch the current session and take in what it says."""
    api = stripe_api(resources, link.holder)
    answer = await api.session(link.current.id)
    told = EventContext(resources.clock(), link.request.account_id)
    await record_now(resources, link.holder, await facts_of_session(api, answer, told))


async def _step_or_let_go(resources: Resources, link: Link, language: str | None) -> ToCheckout | LinkState | None:
    try:
        return await _step(resources, link, language)
    except (Refused, NotConnected) as error:
        if not is_orphaned(link, error):
            raise
    if await mark_expired(resources, link):
        return None
    return LinkState("later" if resources.clock() < link.free_at else "moment", link)


async def _step(resources: Resources, link: Link, language: str | None) -> ToCheckout | LinkState | None:
    """One step towards an answer; None when the database now knows more than ``link``."""
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
    if answer["status"] == "open":  # a payment is under way, and nobody knows how it ends
        return LinkState("moment", link)
    await record_now(
        resources, link.holder, await facts_of_session(api, answer, EventContext(now, link.request.account_id))
    )
    return None


def _may_translate(link: Link, language: str | None) -> bool:
    """Whether a session in the link's own language may take the place of the one that was made with the link.

    Only at the first opening: nobody can be paying yet, so no second page lies open that would end in a hand.
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
