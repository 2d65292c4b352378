"""The inbox: store events before the webhook is answered, process them into the ledger, and fetch missed ones."""
