"""What developers run on a checkout."""
