"""Cut Stripe's whole 2023-08-16 OpenAPI document to the objects that this sandbox sends, as plain JSON Schema.

``python cut_legacy.py spec3.2023-08-16.json.gz legacy.2023-08-16.json.gz``
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

KINDS = (
    "account charge checkout.session customer dispute event invoice payment_intent price product refund "
    "subscription webhook_endpoint"
).split()
KEPT = frozenset("type enum maxLength properties required items anyOf additionalProperties".split())
REF = "#/components/schemas/"


def plain(node: Any) -> Any:
    """One OpenAPI schema as JSON Schema; an expandable field is cut to its id, as it stands in an event."""
    if "$ref" in node:
        return {"$ref": "#/objects/" + node["$ref"].removeprefix(REF)}
    if "x-expansionResources" in node:
        return _nullable(node, {"type": "string"})
    kept = {key: value for key, value in node.items() if key in KEPT}
    for key in ("properties",):
        if key in kept:
            kept[key] = {name: plain(part) for name, part in kept[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = plain(kept[key])
    if "anyOf" in kept:
        kept["anyOf"] = [plain(part) for part in kept["anyOf"]]
    return _nullable(node, kept)


def _nullable(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") else schema


def referenced(node: Any) -> set[str]:
    if isinstance(node, dict):
        here = {node["$ref"].removeprefix("#/objects/")} if "$ref" in node else set()
        return here.union(*(referenced(part) for part in node.values()))
    return set().union(*(referenced(part) for part in node)) if isinstance(node, list) else set()


def cut(document: dict[str, Any]) -> dict[str, Any]:
    schemas, objects, wanted = document["components"]["schemas"], {}, set(KINDS)
    while wanted:
        name = wanted.pop()
        objects[name] = plain(schemas[name])
        wanted |= referenced(objects[name]) - objects.keys()
    return {"x-stripe-api-version": document["info"]["version"], "objects": dict(sorted(objects.items()))}


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    text = json.dumps(cut(json.loads(gzip.decompress(source.read_bytes()))), sort_keys=True, separators=(",", ":"))
    target.write_bytes(gzip.compress(text.encode(), mtime=0))
