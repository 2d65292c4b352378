"""Sending of payment links to clients: by a bot, in the open chat, or as a task for a user."""
