"""What the deal card should look like, from the ledger alone: fields, notes, tasks and stage. Pure."""
