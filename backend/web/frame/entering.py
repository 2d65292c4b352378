"""The dependency of every page of the app: a signed-in visitor, a role that may see the page, and an account."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from backend.web.frame.auth import current_visitor
from backend.web.frame.frame import PLACES, Frame, all_accounts_page, frame_of
from backend.web.frame.login import first_page
from backend.web.http.deps import ResourcesDep

FINANCE = {one.name: one.finance for one in PLACES}


class Elsewhere(Exception):
    """Another page is shown instead: the sign-in, or the operator's choice of an account. ``answer`` is that page."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


def framed(place: str) -> object:
    """Return a dependency that provides the ``Frame`` of a page in section ``place``.

    Raises ``Elsewhere`` without a sign-in or an account.
    """

    async def enter(
        request: Request, resources: ResourcesDep, account: Annotated[str, Query(max_length=20)] = ""
    ) -> Frame:
        visitor = await current_visitor(request, finance=FINANCE[place])
        if visitor is None:
            status = 401 if request.url.path.endswith(".csv") else 200
            raise Elsewhere(await first_page(request, resources, status=status))
        frame = await frame_of(request, resources, visitor, place, account)
        if frame is None:
            raise Elsewhere(all_accounts_page())
        return frame

    return Depends(enter)


Overview = Annotated[Frame, framed("overview")]
Payments = Annotated[Frame, framed("payments")]
Automation = Annotated[Frame, framed("automation")]
Setup = Annotated[Frame, framed("setup")]
Events = Annotated[Frame, framed("events")]
