"""Client of Kommo: API v4, OAuth, widget tokens and our deal fields. It knows no table and no web framework."""
