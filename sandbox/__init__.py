"""Kommo and Stripe on this machine: what the product meets over HTTP, played by the facts.

The product never imports this package and does not know that it exists.
"""
