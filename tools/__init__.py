"""What developers run on a checkout, beside the product."""
