"""Stripe on this machine: API, hosted Checkout page, signed webhooks; by docs/facts/stripe.md."""

from sandbox.stripe.app import create_app
from sandbox.stripe.lives.checkout import Payer
from sandbox.stripe.world import StripeWorld

__all__ = ["Payer", "StripeWorld", "create_app"]
