"""What Stripe alone knows of a payment that came by a link: its receipt's address, and how it was made.

The address dies within 30 days, so it is asked for at each click and kept nowhere. The method stays as it is: where no
look-up has told it yet, it is asked for once and joins the ledger.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from sqlmodel import col, select

from backend.accounts.stripe.connections import stripe_api
from backend.core.cache import CacheSpec
from backend.core.errors import NotConnected
from backend.core.vault import CannotOpen
from backend.ledger.deal import Payment
from backend.payments.checkout.lookup import record_now
from backend.payments.find import Link, find_link
from backend.resources import Resources
from backend.storage.models import LedgerEntry, StripeConnection
from backend.stripe_api.client import Answer, Refused, Unreachable
from backend.stripe_api.events import method_facts

RECEIPTS: CacheSpec[tuple[int, str], str] = CacheSpec(seconds=60.0, most=10_000)
"""The address of a payment's receipt, for whoever presses twice."""
ASKED: CacheSpec[tuple[int, str], bool] = CacheSpec(seconds=3600.0, most=10_000)
"""Payments of whose method Stripe was asked, whatever came of it."""
MOST_AT_ONCE = 3
"""Methods asked for by one page: all but contracts and links paid twice have one payment."""


def has_receipt(payment: Payment) -> bool:
    """Whether Stripe took the money itself, by a PaymentIntent."""
    return payment.id.startswith("pi_") and not payment.outside


async def receipt_address(resources: Resources, link: Link, payment: Payment) -> str | None:
    """Stripe's page of the receipt as it is now; None where Stripe has none. Raises as Stripe's client does."""
    addresses, key = resources.caches[RECEIPTS], (link.account.id, payment.id)
    known = addresses.get(key)
    if known is None:
        charge = (await _intent(resources, link, payment)).get("latest_charge")
        known = _own_page(charge.get("receipt_url") if isinstance(charge, dict) else None, resources)
        if known:
            addresses.put(key, known)
    return known


def _own_page(url: object, resources: Resources) -> str | None:
    """``url`` if a browser may be sent there: over https, or to where Stripe's API itself is."""
    if not isinstance(url, str):
        return None
    parts, ours = urlsplit(url), urlsplit(resources.addresses.stripe_api_base)
    is_safe = bool(parts.netloc) and (parts.scheme == "https" or (parts.scheme, parts.netloc) == ours[:2])
    return url if is_safe and url.isascii() and url.isprintable() else None


def without_method(resources: Resources, link: Link) -> list[Payment]:
    """The payments of which nobody knows yet how they were made, and which Stripe can be asked about."""
    asked = resources.caches[ASKED]
    unknown = (one for one in link.received if one.method is None and has_receipt(one))
    return [one for one in unknown if (link.account.id, one.id) not in asked][:MOST_AT_ONCE]


async def with_methods(resources: Resources, link: Link, payments: Iterable[Payment]) -> Link:
    """The link as it is once Stripe told how these were made; where Stripe does not tell, as it was."""
    for payment in payments:
        resources.caches[ASKED].put((link.account.id, payment.id), True)
        try:
            intent = await _intent(resources, link, payment)
        except (Refused, Unreachable, NotConnected, CannotOpen):
            return link
        await record_now(resources, await _taker(resources, link, payment), method_facts(intent))
    return await find_link(resources, link.request.link_token)


async def _intent(resources: Resources, link: Link, payment: Payment) -> Answer:
    return await stripe_api(resources, await _taker(resources, link, payment)).payment_intent(payment.id)


async def _taker(resources: Resources, link: Link, payment: Payment) -> StripeConnection:
    """The connection whose Stripe account took the payment; of two of one account, the one that still has a key."""
    async with resources.database.read() as session:
        found = await session.exec(
            select(StripeConnection)
            .join(LedgerEntry, col(LedgerEntry.connection_id) == StripeConnection.id)
            .where(LedgerEntry.account_id == link.account.id, LedgerEntry.id == payment.id)
            .order_by(col(StripeConnection.api_key) == "", StripeConnection.id)
        )
        return found.first() or link.holder
