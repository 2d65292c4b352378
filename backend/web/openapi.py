"""Our own description of the HTTP surface, ``/openapi.json``: what the framework knows, and Stripe's door beside it."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from backend.web.http.deps import check_admin

router = APIRouter(include_in_schema=False)
DOOR_ANSWERS = {200: "Stored.", 400: "No true signature of a live secret, or no event.", 404: "No such connection.",
                405: "Stripe posts.", 408: "Too slow.", 413: "More than 1 MB.", 503: "Not stored."}  # fmt: skip
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


@router.get("/openapi.json", name="openapi")
async def openapi(request: Request) -> JSONResponse:
    """For this server's operator: strangers need no map."""
    await check_admin(request)
    return JSONResponse(request.app.openapi())


def _door(name: str, where: list[dict[str, Any]]) -> dict[str, Any]:
    signature = {"name": "Stripe-Signature", "in": "header", "schema": {"type": "string"}}
    return {
        "operationId": name,
        "summary": "One of Stripe's events; 200 follows its commit",
        "parameters": [*where, signature],
        "requestBody": {"required": True, "content": JSON},
        "responses": {str(status): {"description": said, "content": JSON} for status, said in DOOR_ANSWERS.items()},
    }
