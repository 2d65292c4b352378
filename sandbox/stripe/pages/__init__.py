"""The hosted Checkout pages."""
