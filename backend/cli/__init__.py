"""The command line: each command calls the same functions as the web."""
