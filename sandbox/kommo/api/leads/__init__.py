"""Deals and what hangs on them, by API v4."""
