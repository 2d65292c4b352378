"""A JSON body, read with a limit. What can't be read is refused in our own words."""

from typing import Any

import orjson
from fastapi import Request

from backend.core.errors import BodyTooLarge, MalformedBody

MAX_BYTES = 64 * 1024


async def json_body(request: Request) -> Any:
    """Any JSON value; raises ``MalformedBody`` or ``BodyTooLarge``."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise BodyTooLarge("The request is larger than anything that is asked for here.")
    try:
        return orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise MalformedBody("The body is not valid JSON.") from error
