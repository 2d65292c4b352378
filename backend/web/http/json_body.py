"""A JSON body, read whole. Errors use our own sentences; the edge limits the size."""

from typing import Any

import orjson
from fastapi import Request

from backend.core.errors import MalformedBody


async def json_body(request: Request) -> Any:
    """Return the body's JSON value, of any type. Raises ``MalformedBody``."""
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise MalformedBody("The body is not valid JSON.") from error
