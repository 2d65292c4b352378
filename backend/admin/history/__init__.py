"""What happened in an account: the events that came, who changed what, and who is signed in."""
