"""Answers that say less than, or something else than, what was done: neither yes nor no."""

import json
from typing import Any

LOGIN = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action='/oauth2/authorize'></form></body>"

ALTERED = ("left_out", "without_next", "another")


def altered(kind: str, about: int, body: bytes) -> bytes:
    """The JSON ``body`` without the rows ``about`` this id (all of them if it is 0), without the link to the next
    page, or as the answer about the next id."""
    answer = json.loads(body) if body else None
    if not isinstance(answer, dict):
        return body
    if kind == "left_out":
        embedded = answer.get("_embedded") or {}
        answer["_embedded"] = {plural: _without(rows, about) for plural, rows in embedded.items()}
    if kind == "without_next":
        answer.get("_links", {}).pop("next", None)
    if kind == "another" and "id" in answer:
        answer["id"] += 1
    return json.dumps(answer).encode()


def _without(rows: Any, about: int) -> Any:
    is_list = isinstance(rows, list)
    return [row for row in rows if about and about not in (row.get("id"), row.get("entity_id"))] if is_list else rows
