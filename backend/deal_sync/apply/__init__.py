"""Writes the difference to Kommo: one PATCH per batch, notes, tasks, deals of renewals; and handles refusals."""
