"""The colour and symbol of a state, next to its word, so that it can be read without seeing colours."""

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
    """Return (colour class, symbol) of a state; the plain pair for an unknown one."""
    return SIGNS.get(state, _PLAIN)
