"""The doors: HTTP in, HTTP out. Nothing is decided here."""
