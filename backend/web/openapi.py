"""Our own description of the HTTP surface, ``/openapi.json``: what the framework knows, and Stripe's door beside it."""

from typing import Any

from fastapi import FastAPI

DOOR_ANSWERS = {200: "Stored.", 400: "No true signature of a live secret, or no event.", 404: "No such connection.",
                405: "Stripe posts.", 413: "More than 1 MB.", 503: "Not stored: send it again."}  # fmt: skip
CONNECTION = {"name": "connection", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
JSON: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}


class Described(FastAPI):
    """The door is a bare ASGI object, of which the framework knows nothing.

    The document is made when somebody asks for it: it takes a third of what a start takes, and few ask.
    """

    def openapi(self) -> dict[str, Any]:
        made = super().openapi()
        made["paths"] |= {
            "/stripe/webhook": {"post": _door("stripe_webhook_environment", [])},
            "/stripe/webhook/{connection}": {"post": _door("stripe_webhook", [CONNECTION])},
        }
        return made


def _door(name: str, where: list[dict[str, Any]]) -> dict[str, Any]:
    signature = {"name": "Stripe-Signature", "in": "header", "schema": {"type": "string"}}
    return {
        "operationId": name,
        "summary": "One of Stripe's events; 200 follows its commit",
        "parameters": [*where, signature],
        "requestBody": {"required": True, "content": JSON},
        "responses": {str(status): {"description": said, "content": JSON} for status, said in DOOR_ANSWERS.items()},
    }
