"""Several deals of Kommo's list at once: what is open of each is shown, and asked for once."""
