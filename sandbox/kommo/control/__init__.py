"""``/_sandbox``: the world's strings. Every route has a method behind it; JSON in, JSON out, no token."""

from starlette.routing import Route

from sandbox.kommo.control import chats, deals, doors, letters, nature
from sandbox.kommo.control.calls import control_route
from sandbox.kommo.world import KommoWorld

_MODULES = (nature, deals, doors, letters, chats)


def control_routes(world: KommoWorld) -> list[Route]:
    actions = {key: action for module in _MODULES for key, action in module.ACTIONS.items()}
    return [control_route(world, key, action) for key, action in actions.items()]
