"""The calls for bots and talks."""
