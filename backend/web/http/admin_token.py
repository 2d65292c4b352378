"""The check of the ADMIN_TOKEN, shared by every route that takes it. Wrong tokens are counted per address and in total.

The right token always passes, so nobody can lock the operator out by guessing.
"""

from fastapi import Request

from backend.admin.sign_ins import note_failure
from backend.core.clock import Clock
from backend.core.errors import NotAuthorized, TooManyTries
from backend.core.sentences.said import said
from backend.core.signing import same_secret
from backend.web.http.throttle import LIMIT, MissThrottle, address_of

WRONG = said("admin_token_wrong")


class AdminToken:
    """Compares presented tokens with the ADMIN_TOKEN and throttles wrong ones."""

    def __init__(self, token: str, clock: Clock) -> None:
        self._token = token
        self._wrong = MissThrottle(clock)

    async def check(self, request: Request, given: str, door: str) -> None:
        """Return if ``given`` is the ADMIN_TOKEN; ``door`` names the way in for the log of sign-ins.

        Raises ``NotAuthorized`` for a wrong token, ``TooManyTries`` after too many of them in this minute.
        """
        if not same_secret(given.strip(), self._token):
            await self.refuse(request, door, NotAuthorized(WRONG))

    async def refuse(self, request: Request, door: str, refusal: NotAuthorized) -> None:
        """Count and record a failed sign-in, then raise ``refusal``.

        Raises ``TooManyTries`` instead after too many in this minute.
        """
        address = address_of(request)
        number = self._wrong.count(address)
        if number > LIMIT:
            raise TooManyTries(said("too_many_tries"))
        await note_failure(request.app.state.resources, door, address, is_first=number == 1)
        raise refusal
