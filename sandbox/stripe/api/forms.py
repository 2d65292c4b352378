"""Stripe's wire form: ``line_items[0][price_data][unit_amount]=1000`` and back to a tree."""

import re
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.objects.refusals import Refusal

Tree = dict[str, Any]

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> Tree:
    """A form or query as a tree of dicts, lists and strings; ``Refusal`` for names that are no bracket path."""
    tree: Tree = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        match = _NAME.fullmatch(name)
        if match is None:
            raise Refusal(f"Invalid request: the parameter name {name[:100]} can't be read", param=name[:100])
        _put(tree, [match[1], *_PART.findall(match[2])], value)
    return {key: _lists(value) for key, value in tree.items()}


def _put(tree: Tree, path: list[str], value: str) -> None:
    for part, following in pairwise(path):
        key = part or str(len(tree))
        branch = tree.setdefault(key, {})
        if not isinstance(branch, dict):
            raise Refusal(f"Invalid object at {part}, next to {following}", param=part)
        tree = branch
    tree[path[-1] or str(len(tree))] = value


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}
