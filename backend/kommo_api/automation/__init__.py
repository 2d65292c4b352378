"""The Digital Pipeline, bots and steps of bots, as Kommo calls us and answers."""
