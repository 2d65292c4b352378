"""A shop whose life is drawn at random, and what Stripe knows of it."""
