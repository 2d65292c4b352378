"""Data that only Stripe has about a payment by a link: the address of its receipt, and its payment method.

The address expires within 30 days (docs/facts/stripe-finance.md 4), so it is fetched at a click and cached for a minute
only. The method never changes: if no event or look-up has reported it, it is fetched once and recorded in the ledger.
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
"""Receipt addresses by account and payment, for repeated clicks."""
ASKED: CacheSpec[tuple[int, str], bool] = CacheSpec(seconds=3600.0, most=10_000)
"""Payments (by account and id) whose method was fetched recently, with or without success."""
MOST_AT_ONCE = 3
"""The number of methods that one page fetches: only subscriptions and links paid twice have more than one payment."""


def has_receipt(payment: Payment) -> bool:
    """True if Stripe took the payment itself, by a PaymentIntent."""
    return payment.id.startswith("pi_") and not payment.outside


async def receipt_address(resources: Resources, link: Link, payment: Payment) -> str | None:
    """Return the present address of Stripe's receipt page, or None if the payment has none.

    Raises ``Refused`` or ``Unreachable`` as Stripe's client does, and ``NotConnected`` without a usable key.
    """
    addresses, key = resources.caches[RECEIPTS], (link.account.id, payment.id)
    known = addresses.get(key)
    if known is None:
        charge = (await _intent(resources, link, payment)).get("latest_charge")
        known = _own_page(charge.get("receipt_url") if isinstance(charge, dict) else None, resources)
        if known:
            addresses.put(key, known)
    return known


def _own_page(url: object, resources: Resources) -> str | None:
    """Return ``url`` if it is safe for a redirect: https, or the scheme and host of Stripe's API; else None."""
    if not isinstance(url, str):
        return None
    parts, ours = urlsplit(url), urlsplit(resources.addresses.stripe_api_base)
    is_safe = bool(parts.netloc) and (parts.scheme == "https" or (parts.scheme, parts.netloc) == ours[:2])
    return url if is_safe and url.isascii() and url.isprintable() else None


def without_method(resources: Resources, link: Link) -> list[Payment]:
    """Return the received payments with an unknown method that Stripe can be asked about, at most ``MOST_AT_ONCE``."""
    asked = resources.caches[ASKED]
    unknown = (one for one in link.received if one.method is None and has_receipt(one))
    return [one for one in unknown if (link.account.id, one.id) not in asked][:MOST_AT_ONCE]


async def with_methods(resources: Resources, link: Link, payments: Iterable[Payment]) -> Link:
    """Return the link with the payments' methods fetched from Stripe and recorded;
    unchanged if Stripe gives no answer."""
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
    """Return the connection that the payment arrived by. Of two for the same Stripe
    account, prefer the one with a key."""
    async with resources.database.read() as session:
        found = await session.exec(
            select(StripeConnection)
            .join(LedgerEntry, col(LedgerEntry.connection_id) == StripeConnection.id)
            .where(LedgerEntry.account_id == link.account.id, LedgerEntry.id == payment.id)
            .order_by(col(StripeConnection.api_key) == "", StripeConnection.id)
        )
        return found.first() or link.holder
