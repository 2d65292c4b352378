"""OAuth as a browser and a server meet it."""
