"""Stripe on this machine: API, hosted Checkout page, signed webhooks; by facts/stripe.md."""

from backend.sandbox.stripe.app import create_app
from backend.sandbox.stripe.checkout import Payer
from backend.sandbox.stripe.world import StripeWorld

__all__ = ["Payer", "StripeWorld", "create_app"]
