"""The account's OAuth tokens: sealed at rest, refreshed by one process at a time, used for each call."""
