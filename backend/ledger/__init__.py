"""The ledger: merge facts about Stripe objects (``absorb``), derive each deal's sums and
states from them (``deal``)."""
