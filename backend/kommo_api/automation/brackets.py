"""Parses forms with PHP's bracket names (``event[data][id]=1``) into nested objects.

Refuses everything that browsers and PHP never send.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

MOST_FIELDS = 1_000
DEEPEST = 8
_NAME = re.compile(r"[^\[\]]{1,64}(?:\[[^\[\]]{1,64}\])*")
_PART = re.compile(r"[^\[\]]+")
FORBIDDEN = frozenset(("__proto__", "constructor", "prototype"))


class BadBrackets(ValueError):
    """A form that no genuine sender produces."""


def nested(body: bytes) -> dict[str, Any]:
    """The form as nested dicts with text values. Raises ``BadBrackets``.

    Refused are: a repeated name, a name used both for a value and for a branch, unclosed or empty brackets, more than
    eight levels, and names with a meaning in JavaScript (``__proto__``).
    """
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadBrackets("the form cannot be read") from error
    tree: dict[str, Any] = {}
    for name, value in pairs:
        *branches, leaf = _parts(name)
        node = tree
        for branch in branches:
            node = node.setdefault(branch, {})
            if not isinstance(node, dict):
                raise BadBrackets(f"{branch} is a value and a branch")
        if leaf in node:
            raise BadBrackets(f"{leaf} is there twice")
        node[leaf] = value
    return tree


def _parts(name: str) -> list[str]:
    parts = _PART.findall(name)
    if not _NAME.fullmatch(name) or len(parts) > DEEPEST or FORBIDDEN & set(parts):
        raise BadBrackets("a name has brackets that are not closed, empty, too many, or forbidden")
    return parts
