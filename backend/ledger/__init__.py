"""The truth about money: facts merged (``absorb``), and what they mean for a deal (``deal``, pure)."""
