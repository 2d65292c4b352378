"""Steps to an account's first payment, and a test payment from end to end."""
