"""Authentication: OAuth, the claims of our access tokens, the widget's one-time token."""
