"""The wanted state of a deal card, from the ledger alone: fields, notes, tasks and stage. Pure functions."""
