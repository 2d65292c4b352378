"""A JSON body, read whole. What can't be read is refused in our own words; how large it may be is the edge's limit."""

from typing import Any

import orjson
from fastapi import Request

from backend.core.errors import MalformedBody


async def json_body(request: Request) -> Any:
    """Returns any JSON value; raises ``MalformedBody``."""
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise MalformedBody("The body is not valid JSON.") from error
