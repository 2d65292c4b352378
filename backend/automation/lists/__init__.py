"""Payment requests for several deals of Kommo's list: preview and run."""
