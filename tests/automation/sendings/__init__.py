"""Links sent to clients."""
