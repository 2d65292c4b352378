"""Proving who asks: OAuth, the claims of our tokens, the widget's one-time token."""
