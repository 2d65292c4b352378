"""Which process works on which account: leases, wake-ups, heartbeats, backoff, presence."""
