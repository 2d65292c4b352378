"""What the card and Kommo's forms ask of the rooms that work without a person."""
