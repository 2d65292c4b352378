"""Turn Stripe's refusals into errors that a rep can act on."""

from backend.core.errors import (
    AmountTooLarge,
    AmountTooSmall,
    NotConnected,
    ProductError,
    StripeRefused,
    StripeUnreachable,
)
from backend.stripe_api.client import KeyRefused, Refused, Unreachable
from backend.stripe_api.events import clean

BY_CODE: dict[str, type[ProductError]] = {"amount_too_small": AmountTooSmall, "amount_too_large": AmountTooLarge}
"""Stripe's error codes about the amount, and our errors for them."""


def in_words(refusal: Refused) -> ProductError:
    """Return the error for a refusal: ``NotConnected`` for a rejected key, an amount error, or ``StripeRefused``."""
    if isinstance(refusal, KeyRefused):
        return NotConnected("Stripe no longer accepts this account's key. Ask an admin to connect Stripe again.")
    if refusal.status == 403:
        right = f" ({', '.join(refusal.permissions)})" if refusal.permissions else ""
        return StripeRefused(f"The Stripe key may not do this{right}. Ask an admin to allow it in Stripe's dashboard.")
    if refusal.code in BY_CODE:
        return BY_CODE[refusal.code](f"Stripe refused the amount: {clean(refusal.message)}")
    return StripeRefused(f"Stripe refused: {clean(refusal.message)}")


def out_of_reach(_error: Unreachable) -> StripeUnreachable:
    """Return the error for a failed call. It promises that a repetition is safe: each call has its idempotency key."""
    return StripeUnreachable("Stripe can't be reached right now. Press again in a moment: nothing will be done twice.")
