"""What stands in `deploy/`, and the image: each file says what the product does."""
