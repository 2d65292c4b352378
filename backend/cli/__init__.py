"""The command line: each command a thin door to the same functions that the web calls."""
