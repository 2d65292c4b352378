"""How fast Kommo is asked: slots as rows of the database, so that all processes together keep to the limits."""
