"""What happens without a person: links that are made, sent and chased by the admin's rules."""
