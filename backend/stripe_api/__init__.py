"""Stripe as the product meets it: the calls we make, the signature we check, and what events say."""
