"""The widget's modules joined into the one AMD module that Kommo loads.

Kommo adds its ``?v=`` to ``script.js`` alone, so a file pulled in by it would be served stale after an update. The
sources are ES modules that import by name from each other; here the imports and ``export`` words go and the
bodies follow each other in the order of their needs, inside one function.
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
"""How the joined script names the types, wherever a module stood."""
_EXPORT = re.compile(r"^export (?:default )?(?=(?:async )?(?:function|const|class|let)\b)", re.MULTILINE)
_ENTRY = re.compile(r"^export default function (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def joined(scripts: dict[str, str], facts: dict[str, object]) -> str:
    """One ``define([], factory)`` whose factory returns the entry's default function; ``facts`` becomes ``BUILD``."""
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
    """Modules with what they import before them. Functions may need each other both ways; constants may not."""
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
            raise ScriptInvalid(f"widget/{name}.js imports {{{names.strip()}}}: the build can't rename what it joins.")
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
        raise ScriptInvalid(f"widget/{name}.js has a line the build can't join: {left[0]}")
    return f"// {name}.js\n{_one_scope(body).strip()}\n"


def _one_scope(body: str) -> str:
    """Types in comments named as they are in the joined script, where all modules share one scope."""
    return _TYPES_OF_MODULES.sub("", _TYPES.sub(TYPES, body))
