"""Merged deals: which deal survived, and how payments and requests follow to it."""
