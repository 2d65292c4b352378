"""Merged deals: which deal survived, and how payments and requests move to it."""
