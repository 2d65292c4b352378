"""Faults, limits and the log of requests."""
