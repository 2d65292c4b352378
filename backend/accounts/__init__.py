"""Who we serve: connecting Kommo and Stripe accounts, keeping their tokens alive, making what they need."""
