"""What is sold: prices, products, line items, and Stripe's own rules of amounts."""
