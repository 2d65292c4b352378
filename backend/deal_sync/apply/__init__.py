"""Writing the difference to Kommo: one PATCH a batch, notes, tasks, deals of renewals, and what is refused."""
