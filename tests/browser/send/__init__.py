"""Ways to send a link to the client."""
