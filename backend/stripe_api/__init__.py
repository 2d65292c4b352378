"""Stripe's API: the calls that we make, the webhook signature that we verify, and the facts that events carry."""
