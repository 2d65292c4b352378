"""Sentences of the server that a page shows in the reader's language."""
