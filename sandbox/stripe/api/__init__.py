"""Stripe's REST interface, version 1."""
