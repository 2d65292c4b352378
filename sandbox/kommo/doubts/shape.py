"""How a doubt is written down."""

Doubts = dict[str, tuple[str, str, dict[str, str]]]
"""name → (section of facts/kommo-api.md, what is in doubt, {reading: what then happens}), the believed one first."""
