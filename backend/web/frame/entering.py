"""The one way to a page of the app: signed in, with a role that may see it, for an account that is one's own."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from backend.web.frame.auth import current_visitor
from backend.web.frame.frame import PLACES, Frame, all_accounts_page, frame_of
from backend.web.frame.login import login_page
from backend.web.http.deps import ResourcesDep

FINANCE = {one.name: one.finance for one in PLACES}


class Elsewhere(Exception):
    """Another page is shown instead: the sign-in, or the operator's choice of an account."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


def framed(place: str) -> object:
    """A dependency that returns the ``Frame`` of a page that belongs to ``place``."""

    async def enter(
        request: Request, resources: ResourcesDep, account: Annotated[str, Query(max_length=20)] = ""
    ) -> Frame:
        visitor = await current_visitor(request, finance=FINANCE[place])
        if visitor is None:
            raise Elsewhere(login_page(status=401 if request.url.path.endswith(".csv") else 200))
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
