"""The reason of a refused value: our validators' sentences and pydantic's, for a page in the reader's language."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from backend.core.sentences.said import said

BY_TYPE: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "greater_than_equal": ("reason_at_least", {"least": "ge"}),
    "less_than_equal": ("reason_at_most", {"most": "le"}),
    "string_too_long": ("reason_too_long", {"most": "max_length"}),
    "too_short": ("reason_too_few", {"least": "min_length", "count": "actual_length"}),
    "literal_error": ("reason_choice", {"choices": "expected"}),
}
"""Type of pydantic's error: our sentence, and its values' names in the error's context."""


def reason_of(error: ValidationError) -> str:
    """Return why the first wrong value was refused: a ``Said`` of ours, or pydantic's sentence, in English."""
    first: Mapping[str, Any] = error.errors(include_url=False, include_input=False)[0]
    context, plain = first.get("ctx", {}), str(first["msg"]).removeprefix("Value error, ")
    key, names = BY_TYPE.get(first["type"], ("", {}))
    if key:
        known: str = said(key, **{ours: context[theirs] for ours, theirs in names.items()})
    else:
        known = next(iter(getattr(context.get("error"), "args", ())), "")
    return known if known == plain else plain
