"""The app's stylesheet and script: two files of our own, at addresses that contain a hash of the content."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response

router = APIRouter(prefix="/admin/files", include_in_schema=False)
FOLDER = Path(__file__).parents[1] / "templates" / "app"
ONE_YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class File:
    """A static file with its hashed name."""

    name: str
    content_type: str
    body: bytes

    @property
    def address(self) -> str:
        """The path that pages link to."""
        return f"/admin/files/{self.name}"


def _file(stem: str, ending: str, content_type: str) -> File:
    body = (FOLDER / f"{stem}.{ending}").read_bytes()
    return File(f"{stem}-{hashlib.sha256(body).hexdigest()[:12]}.{ending}", content_type, body)


STYLE = _file("app", "css", "text/css; charset=utf-8")
SCRIPT = _file("app", "js", "text/javascript; charset=utf-8")
FILES = {one.name: one for one in (STYLE, SCRIPT)}


@router.get("/{name}")
async def file(name: str) -> Response:
    """Return a file of the app; public and cacheable for a year, since it holds nothing confidential and its name has a
    hash.
    """
    found = FILES.get(name)
    if found is None:
        return Response(status_code=404)
    headers = {
        "Cache-Control": f"public, max-age={ONE_YEAR}, immutable",
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(found.body, media_type=found.content_type, headers=headers)
