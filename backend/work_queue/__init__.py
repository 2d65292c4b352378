"""Which account is worked on by whom: leases, wake-ups, heartbeats, backoff, presence."""
