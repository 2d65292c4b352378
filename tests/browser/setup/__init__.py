"""The widget's window in Kommo's settings, and the set-up page that it opens."""
