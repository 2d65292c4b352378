"""The truth about money: facts merged (``book``), and what they mean for a deal (``deal``, pure)."""
