"""Events: stored before the answer, processed into the ledger, and those that no webhook brought."""
