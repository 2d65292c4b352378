"""The way to an account's first payment: what is missing, and a test payment from end to end."""
