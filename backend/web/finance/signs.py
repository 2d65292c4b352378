"""A state as a colour and a sign beside its word: it is read by those who see no colour, too."""

_GOOD, _WARN, _BAD, _PLAIN = ("good", "✓"), ("warn", "…"), ("bad", "!"), ("", "○")
SIGNS = {
    "paid": _GOOD,
    "partially_refunded": ("warn", "↩"),
    "refunded": ("", "↩"),
    "disputed": _BAD,
    "inquiry": ("warn", "?"),
    "processing": _WARN,
    "pending": _PLAIN,
    "failed": _BAD,
    "expired": ("warn", "⌛"),
    "cancelled": ("", "✕"),
}


def sign_of(state: str) -> tuple[str, str]:
    """(class of the colour, sign)."""
    return SIGNS.get(state, _PLAIN)
