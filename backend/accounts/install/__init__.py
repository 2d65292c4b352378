"""Installation: from Kommo's authorization code to a connected account, and uninstalling."""
