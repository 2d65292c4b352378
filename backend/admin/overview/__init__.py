"""How an account stands, in one look: its money by month and by age, its health, and what waits for a person."""
