"""The last check before a sending: what Stripe and the ledger know about the request now."""

from dataclasses import dataclass

from backend.core.errors import NotConnected, RequestNotFound
from backend.payments.checkout.open import PAYABLE, ask_again
from backend.payments.checkout.orphaned import is_orphaned
from backend.payments.find import Link, find_request
from backend.resources import Resources
from backend.stripe_api.client import Refused


@dataclass(frozen=True, slots=True)
class Look:
    """``barrier``: why the link must not be sent, a key of the card's texts; '' if it may be."""

    link: Link | None
    barrier: str = ""


async def last_look(resources: Resources, account_id: int, request_id: str) -> Look:
    """Ask Stripe about the current session and return whether the request still asks for money.

    Raises ``Unreachable`` if Stripe does not answer: then nothing must be sent.
    """
    try:
        link = await find_request(resources, account_id, request_id)
    except RequestNotFound:
        return Look(None, "no_request")
    if barrier_of(link) or link.is_over:
        return Look(link, barrier_of(link))
    try:
        await ask_again(resources, link)
    except (Refused, NotConnected) as error:
        return Look(link, "stripe_moved" if is_orphaned(link, error) else "stripe_refused")
    link = await find_request(resources, account_id, request_id)
    return Look(link, barrier_of(link))


def barrier_of(link: Link) -> str:
    """Return the barrier from our ledger: paid, in progress, disputed, cancelled, replaced, expired, or in the other
    mode.
    """
    if link.asked is None:
        return "other_mode"
    state = link.state
    if state not in PAYABLE:
        return state
    if link.ledger.state == "disputed":
        return "disputed"
    if link.ledger.is_under_way:
        return "processing"
    return "" if link.ledger.open_sums else "paid"
