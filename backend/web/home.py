"""The server's own address, for a person who typed it or cut a link short: what this is, and where to go."""

from fastapi import APIRouter, Request, Response

from backend.web.client.link_pages import texts_of
from backend.web.frame.rendering import rendered
from backend.web.http.language import preferred

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"], name="home")
async def home(request: Request) -> Response:
    """Nothing of the accounts behind it. A client reads in the own language, an administrator in the set-up's."""
    language = preferred(request.headers.get("accept-language", ""))
    return rendered("home.html", language=language, cut_short=texts_of(language)["unknown_text"])
