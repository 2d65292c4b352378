"""Sending a payment link to the client: by a bot, in the open chat, or as a task for a person."""
