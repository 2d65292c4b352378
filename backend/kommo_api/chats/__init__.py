"""Bots, talks and their messages (docs/facts/kommo-automation.md 3, 4)."""
