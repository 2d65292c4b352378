"""The app's stylesheet and script: two files of our own, each at an address that changes with what is in it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response

router = APIRouter(prefix="/admin/files", include_in_schema=False)
FOLDER = Path(__file__).parents[1] / "templates" / "app"
ONE_YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class File:
    name: str
    content_type: str
    body: bytes

    @property
    def address(self) -> str:
        return f"/admin/files/{self.name}"


def _file(stem: str, ending: str, content_type: str) -> File:
    body = (FOLDER / f"{stem}.{ending}").read_bytes()
    return File(f"{stem}-{hashlib.sha256(body).hexdigest()[:12]}.{ending}", content_type, body)


STYLE = _file("app", "css", "text/css; charset=utf-8")
SCRIPT = _file("app", "js", "text/javascript; charset=utf-8")
FILES = {one.name: one for one in (STYLE, SCRIPT)}


@router.get("/{name}")
async def file(name: str) -> Response:
    """There is nothing in them that only some may see: anybody gets them, and any cache may keep them."""
    found = FILES.get(name)
    if found is None:
        return Response(status_code=404)
    headers = {
        "Cache-Control": f"public, max-age={ONE_YEAR}, immutable",
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(found.body, media_type=found.content_type, headers=headers)
