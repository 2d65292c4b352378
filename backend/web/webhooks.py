"""Stripe's door: signature on the raw bytes, then the inbox, and only then 200.

A bare ASGI object, not a decorated route: at this door a framework's layers cost more than the work.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import structlog
from sqlmodel import select

from backend.accounts.connections import secrets_of
from backend.inbox import Arrival, Inbox
from backend.models import StripeConnection
from backend.resources import Resources
from backend.stripe_api.events import HANDLERS
from backend.stripe_api.signature import BadWebhook, read_event, verify

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 1_000_000
log = structlog.get_logger()


class TooLarge(Exception):
    """More than 1 MB: no event is that large."""


class WebhookDoor:
    """``POST /stripe/webhook/{connection}``, and without an id the connection given by environment."""

    def __init__(self, resources: Resources, inbox: Inbox) -> None:
        self._resources = resources
        self._inbox = inbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, answer = await self._status(scope, receive)
        body = orjson.dumps(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _status(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        if scope["method"] != "POST":
            return _refusal(405, "method_not_allowed", "Stripe posts its events here.")
        try:
            connection = await self._connection(scope.get("path_params", {}).get("connection"))
            if connection is None:
                return _refusal(404, "connection_unknown", "No Stripe connection has this address.")
            body = await _read_body(scope, receive)
            return await self._accept(connection, body, _header(scope, b"stripe-signature"))
        except TooLarge as error:
            return _refusal(413, "too_large", str(error))
        except BadWebhook as error:
            log.info("webhook refused", reason=str(error))
            return _refusal(400, "bad_webhook", f"Refused: {error}.")
        except Exception:  # Stripe sends it again on any 5xx; the cause is for us to see
            log.exception("webhook not stored")
            return _refusal(503, "unavailable", "The event could not be stored. Send it again.")

    async def _connection(self, connection_id: str | None) -> StripeConnection | None:
        async with self._resources.database.read() as session:
            if connection_id is not None:
                return await session.get(StripeConnection, connection_id)
            found = await session.exec(select(StripeConnection).where(StripeConnection.source == "environment"))
            return found.first()

    async def _accept(self, connection: StripeConnection, body: bytes, header: str) -> tuple[int, dict[str, Any]]:
        now = self._resources.clock()
        verify(body, header, secrets_of(self._resources, connection), now)
        event = read_event(body)
        known = event["type"] in HANDLERS and event.get("livemode", connection.livemode) == connection.livemode
        await asyncio.shield(
            self._inbox.put(
                Arrival(
                    connection_id=connection.id,
                    account_id=connection.account_id,
                    id=str(event["id"]),
                    type=str(event["type"]),
                    api_version=str(event.get("api_version") or "")[:64],
                    body=body,
                    state="new" if known else "ignored",
                    received_at=now,
                )
            )
        )
        return 200, {"received": True}


def _refusal(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"code": code, "message": message}}


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    length = _header(scope, b"content-length")
    if length.isdigit() and int(length) > MAX_BODY:
        raise TooLarge("An event of more than 1 MB is not taken.")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadWebhook("the sender hung up")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise TooLarge("An event of more than 1 MB is not taken.")
        if not message.get("more_body"):
            return b"".join(chunks)
