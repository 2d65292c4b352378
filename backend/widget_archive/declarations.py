"""The names that a module of the widget declares at its top level, parsed from its text.

The build joins all modules into one scope, so it must know each of these names. A form that hides a name from this
simple parser (a pattern, a second declarator) is refused.
"""

import re
from collections.abc import Iterator

from backend.widget_archive.errors import ScriptInvalid

_DECLARATION = re.compile(
    r"^(?:export )?(?:default )?(?:(?:async )?function\b\s*\*?|class|const|let|var)\s*([\w$]+|\{|\[)", re.MULTILINE
)
_VARIABLE = re.compile(r"(?:export )?(?:const|let|var)\b")
_SKIPPED = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
_REGULAR_EXPRESSION = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_BEFORE_A_REGULAR_EXPRESSION = "(=,:[!&|?{};>+"


def declared_names(module: str, text: str) -> Iterator[str]:
    """The names declared at the module's top level, in order.

    Raises ``ScriptInvalid`` for a destructured name and for two names in one statement.
    """
    for found in _DECLARATION.finditer(text):
        if not re.match(r"[\w$]", found[1]):
            raise ScriptInvalid(f"widget/{module}.js destructures at its top level; declare one name per statement.")
        if _VARIABLE.match(found[0]) and _has_second_declarator(text, found.end()):
            raise ScriptInvalid(
                f"widget/{module}.js declares {found[1]} and another name in one statement; make it two statements."
            )
        yield found[1]


def _has_second_declarator(text: str, start: int) -> bool:
    """True if a comma outside all brackets comes before the statement's semicolon."""
    depth = 0
    for sign in _code_signs(text, start):
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0 and sign in ",;":
            return sign == ","
    return False


def _code_signs(text: str, start: int) -> Iterator[str]:
    """Characters of the code from ``start`` on, without comments, strings, templates and regular expressions."""
    at, last = start, "="
    while at < len(text):
        skipped = _SKIPPED.match(text, at)
        if not skipped and text[at] == "/" and last in _BEFORE_A_REGULAR_EXPRESSION:
            skipped = _REGULAR_EXPRESSION.match(text, at)
        if skipped:
            at = skipped.end()
        elif text[at] == "`":
            at = _end_of_template(text, at + 1)
        else:
            yield text[at]
            last = last if text[at].isspace() else text[at]
            at += 1


def _end_of_template(text: str, at: int) -> int:
    """The position after the closing backtick; templates inside ``${…}`` are skipped whole."""
    while at < len(text) and text[at] != "`":
        if text[at] == "\\":
            at += 1
        elif text.startswith("${", at):
            at = _end_of_insertion(text, at + 2)
            continue
        at += 1
    return at + 1


def _end_of_insertion(text: str, at: int) -> int:
    depth = 1
    while at < len(text) and depth:
        if text[at] == "`":
            at = _end_of_template(text, at + 1)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at
