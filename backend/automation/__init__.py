"""Automatic work by the admin's rules: links are created, sent and followed by reminders."""
