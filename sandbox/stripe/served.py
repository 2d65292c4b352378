"""The world behind a request, for routes that ask for it."""

from typing import Annotated

from fastapi import Depends, Request

from sandbox.stripe.world import StripeWorld


def _world(request: Request) -> StripeWorld:
    world: StripeWorld = request.app.state.world
    return world


World = Annotated[StripeWorld, Depends(_world)]
