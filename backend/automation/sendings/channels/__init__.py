"""Channels to the client: a bot, the open chat, a task; and one call of a channel."""
