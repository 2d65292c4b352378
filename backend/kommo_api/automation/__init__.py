"""Requests of the Digital Pipeline, bots and bot steps, and our answers to them."""
