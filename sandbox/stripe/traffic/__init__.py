"""What can go wrong between a caller and Stripe, its limits, and the log of requests."""
