"""Rate limit of Kommo: slots as database rows, so that all processes together keep to it."""
