"""The form of a new payment: what it offers, and in which order."""
