"""Our side of Kommo: API v4, OAuth, the widget's token, our deal fields. It knows no table and no web framework."""
