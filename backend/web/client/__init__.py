"""The payer's pages: the permanent link and the statement."""
