"""What a route may ask for, as named aliases."""

from typing import Annotated, cast

from fastapi import Depends, Request

from backend.core.errors import NotAuthorized
from backend.core.signing import same_secret
from backend.resources import Resources


def _resources(request: Request) -> Resources:
    return cast(Resources, request.app.state.resources)


ResourcesDep = Annotated[Resources, Depends(_resources)]


def check_admin(request: Request) -> None:
    """``NotAuthorized`` without the ADMIN_TOKEN in the header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not same_secret(token.strip(), request.app.state.admin_token):
        raise NotAuthorized("Send the ADMIN_TOKEN of this server as `Authorization: Bearer …`.")
