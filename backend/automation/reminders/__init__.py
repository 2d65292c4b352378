"""Reminders of due payments: messages to the client, then tasks for users, until the request is paid."""
