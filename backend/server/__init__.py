"""Running processes: brought up to date first, stopped gracefully. A worker alone imports nothing of the web."""
