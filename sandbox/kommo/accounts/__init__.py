"""Accounts and their people: what they hold, how it is changed, which tokens are good for them."""
