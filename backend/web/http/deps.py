"""FastAPI dependencies that routes share, as named aliases."""

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from backend.core.errors import NotAuthorized
from backend.core.ids import LARGEST_NUMBER
from backend.resources import Resources


def _resources(request: Request) -> Resources:
    return cast(Resources, request.app.state.resources)


AccountId = Annotated[int, Path(ge=1, le=LARGEST_NUMBER)]
ResourcesDep = Annotated[Resources, Depends(_resources)]


async def check_admin(request: Request) -> None:
    """Return if the request carries ``Authorization: Bearer`` with the ADMIN_TOKEN.

    Raises ``NotAuthorized``, or ``TooManyTries`` after too many wrong tokens.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthorized("Send the ADMIN_TOKEN of this server as `Authorization: Bearer …`.")
    await request.app.state.admin_door.check(request, _as_typed(token), "bearer")


def _as_typed(header: str) -> str:
    """Return a header's text as it was typed: programs send letters with accents in UTF-8, servers read Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
