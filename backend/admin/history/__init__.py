"""History of an account: events, audit log, rule entries and sessions."""
