"""Routes of the card and of Kommo's forms for rules, reminders, bulk requests and sending."""
