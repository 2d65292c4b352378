"""PHP's form language, in which Kommo reads queries and writes hooks: ``filter[id][]=1``, ``leads[add][0][id]=1``."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

Node = dict[str, Any]
"""Keys are strings at every level, also the numbers of lists; leaves are strings."""

Form = list[tuple[str, str]]

_KEY = re.compile(r"\[([^\]]*)\]")


def parse(pairs: Iterable[tuple[str, str]]) -> Node:
    root: Node = {}
    for name, value in pairs:
        head, _, rest = name.partition("[")
        _put(root, [head, *_KEY.findall(f"[{rest}" if rest else "")], value)
    return root


def _put(node: Node, keys: list[str], value: str) -> None:
    *path, last = keys
    for key in path:
        below = node.setdefault(key or str(len(node)), {})
        node = below if isinstance(below, dict) else {}
    node[last or str(len(node))] = value


def leaves(node: Any) -> list[str]:
    """All values below a node; a bare value counts as a list of one, a comma list as several."""
    if node is None:
        return []
    if isinstance(node, dict):
        return [leaf for below in node.values() for leaf in leaves(below)]
    return str(node).split(",")


def flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """An object as form pairs: numbers become text, ``None`` becomes empty."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in items:
            yield from flatten(below, f"{name}[{key}]" if name else str(key))
    else:
        yield name, "" if value is None else str(int(value) if isinstance(value, bool) else value)
