"""Setting up a bare machine: a made-up one stands for it."""
