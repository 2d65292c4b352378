"""Joins the widget's modules into the one AMD module that Kommo loads.

Kommo adds its ``?v=`` to ``script.js`` only, so a file loaded by it would be stale after an update
(docs/facts/kommo-widget.md 1.3). The sources are ES modules that import names from each other; the build removes
``import`` and ``export`` and puts the bodies in dependency order inside one function.
"""

import json
import posixpath
import re
from collections.abc import Iterator

from backend.widget_archive.declarations import declared_names
from backend.widget_archive.errors import ScriptInvalid

ENTRY, BUILD = "script", "build"

_IMPORT = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*'(\.{1,2}/[\w/.]+)\.js';\n", re.MULTILINE)
_TYPES = re.compile(r"import\('[./]*types\.d\.ts'\)")
_TYPES_OF_MODULES = re.compile(r"import\('[\w./]+\.js'\)\.")
TYPES = "import('./types.d.ts')"
"""How the joined script names the types, whatever the module's folder."""
_EXPORT = re.compile(r"^export (?:default )?(?=(?:async )?(?:function|const|class|let)\b)", re.MULTILINE)
_ENTRY = re.compile(r"^export default function (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def joined(scripts: dict[str, str], facts: dict[str, object]) -> str:
    """One ``define([], factory)`` whose factory returns the entry's default function; ``facts`` becomes ``BUILD``.

    ``scripts``: module name → source. Raises ``ScriptInvalid`` for a form that the build cannot join.
    """
    modules = scripts | {BUILD: f"/** @type {{{TYPES}.Build}} */\nconst BUILD = {_literal(facts)};\n"}
    entry = _ENTRY.search(modules.get(ENTRY, ""))
    if not entry:
        raise ScriptInvalid("widget/script.js has no `export default function`.")
    order = _order(modules)
    _refuse_doubles({name: modules[name] for name in order})
    bodies = "\n".join(_body(name, modules[name]) for name in order)
    return f"define([], function () {{\n'use strict';\n\n{bodies}\nreturn {entry[1]};\n}});\n"


def _literal(facts: dict[str, object]) -> str:
    return json.dumps(facts, ensure_ascii=True, sort_keys=True, indent=2)


def _order(modules: dict[str, str]) -> list[str]:
    """Module names, each after its imports. Functions may import each other both ways; constants may not."""
    done: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in done or name in open_:
            return
        open_.append(name)
        for needed in _needs(name, modules):
            visit(needed)
        done.append(name)

    visit(ENTRY)
    return done


def _needs(name: str, modules: dict[str, str]) -> Iterator[str]:
    for names, path in _IMPORT.findall(modules[name]):
        if re.search(r"\bas\b", names):
            raise ScriptInvalid(f"widget/{name}.js imports {{{names.strip()}}}: the build cannot rename imports.")
        needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if needed not in modules:
            raise ScriptInvalid(f"widget/{name}.js imports {needed}.js, which is not there.")
        yield needed


def _refuse_doubles(modules: dict[str, str]) -> None:
    owner: dict[str, str] = {}
    for name, text in modules.items():
        for declared in declared_names(name, text):
            if declared in owner:
                raise ScriptInvalid(f"{declared} is declared in widget/{owner[declared]}.js and in widget/{name}.js.")
            owner[declared] = name


def _body(name: str, text: str) -> str:
    body = _EXPORT.sub("", _IMPORT.sub("", text)).removeprefix("// @ts-check\n")
    left = _LEFT.search(body)
    if left:
        raise ScriptInvalid(f"widget/{name}.js has a line that the build cannot join: {left[0]}")
    return f"// {name}.js\n{_one_scope(body).strip()}\n"


def _one_scope(body: str) -> str:
    """The body with types in comments named as in the joined script, where all modules share one scope."""
    return _TYPES_OF_MODULES.sub("", _TYPES.sub(TYPES, body))
