"""Bots, talks and chat messages (docs/facts/kommo-automation.md 3, 4)."""
