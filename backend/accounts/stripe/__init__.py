"""Stripe connections of an account: their keys, their webhook endpoints, and removing them."""
