"""``/openapi.json``: the framework's description of our routes, plus Stripe's webhook, a route unknown to it."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from backend.web.http.deps import check_admin

router = APIRouter(include_in_schema=False)
DOOR_ANSWERS = {200: "Stored.", 400: "The signature is invalid, or the body is no event.", 404: "No such connection.",
                405: "Only POST.", 408: "Too slow.", 413: "More than 1 MB.", 503: "Not stored."}  # fmt: skip
CONNECTION = {"name": "connection", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
JSON: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}


class Described(FastAPI):
    """A FastAPI application whose OpenAPI document also describes the webhook route, a bare ASGI object.

    The document is built on the first request for it: that takes a third of a start, and few ask.
    """

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document as a dict, including Stripe's webhook."""
        made = super().openapi()
        made["paths"] |= {
            "/stripe/webhook": {"post": _door("stripe_webhook_environment", [])},
            "/stripe/webhook/{connection}": {"post": _door("stripe_webhook", [CONNECTION])},
        }
        return made


@router.get("/openapi.json", name="openapi")
async def openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI document to the server's operator: it would be a map for attackers.

    Raises ``NotAuthorized``.
    """
    await check_admin(request)
    return JSONResponse(request.app.openapi())


def _door(name: str, where: list[dict[str, Any]]) -> dict[str, Any]:
    signature = {"name": "Stripe-Signature", "in": "header", "schema": {"type": "string"}}
    return {
        "operationId": name,
        "summary": "Store an event of Stripe; 200 is sent after the commit",
        "parameters": [*where, signature],
        "requestBody": {"required": True, "content": JSON},
        "responses": {str(status): {"description": said, "content": JSON} for status, said in DOOR_ANSWERS.items()},
    }
