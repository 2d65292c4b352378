"""Salesbot steps *Payment link* and *Is it paid?*: called by Kommo, answered by the account's worker."""
