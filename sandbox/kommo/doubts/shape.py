"""How a doubt is written down."""

Doubts = dict[str, tuple[str, str, dict[str, str]]]
"""name → (section of docs/facts/kommo-api.md, the doubt, {reading: what then happens}), the believed one first."""
