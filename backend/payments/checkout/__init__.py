"""Checkout Sessions behind the permanent link: made, looked up, replaced, ended."""
