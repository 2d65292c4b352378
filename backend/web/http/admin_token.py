"""The ADMIN_TOKEN at every door: one comparison, wrong tokens counted by address and in all.

The right token always passes, so nobody can lock the operator out by guessing.
"""

from fastapi import Request

from backend.admin.sign_ins import note_failure
from backend.core.clock import Clock
from backend.core.errors import NotAuthorized, TooManyTries
from backend.core.signing import same_secret
from backend.web.http.throttle import LIMIT, MissThrottle, address_of

WRONG = "This is not the ADMIN_TOKEN of this server."


class AdminToken:
    def __init__(self, token: str, clock: Clock) -> None:
        self._token = token
        self._wrong = MissThrottle(clock)

    async def check(self, request: Request, given: str, door: str) -> None:
        """Raises ``NotAuthorized`` for a wrong token, ``TooManyTries`` for one of many."""
        if not same_secret(given.strip(), self._token):
            await self.refuse(request, door, NotAuthorized(WRONG))

    async def refuse(self, request: Request, door: str, refusal: NotAuthorized) -> None:
        """Count and note a failed try to get in; raises ``refusal``, or ``TooManyTries``."""
        address = address_of(request)
        number = self._wrong.count(address)
        if number > LIMIT:
            raise TooManyTries("Too many tries. Wait a minute.")
        await note_failure(request.app.state.resources, door, address, is_first=number == 1)
        raise refusal
