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
    await request.app.state.admin_door.check(request, token, "bearer")
