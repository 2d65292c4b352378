"""Chasing what is due: reminders to the client, then tasks for people, until it is paid."""
