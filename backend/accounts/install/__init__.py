"""From a code of Kommo to a connected account, and back: callback, activation, what waits, uninstall."""
