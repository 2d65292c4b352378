"""The server's root page, for a person who typed the address or cut a link short."""

from fastapi import APIRouter, Request, Response

from backend.web.client.link_pages import texts_of
from backend.web.frame.rendering import rendered
from backend.web.http.language import of_client
from backend.web.readiness import is_ready

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"], name="home")
async def home(request: Request) -> Response:
    """Return a page that says what this server is and whether it is ready.

    It is public, so it shows no account and no number.
    """
    language = of_client(request)
    is_well = is_ready(await request.app.state.readiness.checks())
    return rendered("home.html", language=language, texts=texts_of(language), is_well=is_well)
