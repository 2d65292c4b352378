"""What a Stripe account holds, and the shapes in which Stripe shows it."""
