"""What an admin chooses of what happens without a person."""
