"""What Kommo sends by itself."""
