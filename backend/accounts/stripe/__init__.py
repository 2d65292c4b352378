"""Stripe connections of an account: their keys, webhook endpoints, and removal."""
