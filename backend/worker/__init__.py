"""The worker process: its loop, an account's turn, the probe of a block."""
