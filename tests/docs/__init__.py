"""What the documents say is compared with what there is."""
