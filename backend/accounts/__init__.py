"""Connects Kommo and Stripe accounts, keeps their tokens valid, and provisions what they need."""
