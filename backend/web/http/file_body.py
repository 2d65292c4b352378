"""The single file of an upload form, read whole. Only the shape that browsers send for our form is parsed."""

import re

from fastapi import Request

from backend.core.errors import MalformedBody, UnsupportedMedia
from backend.core.sentences.said import said, together

FORM = "multipart/form-data"
_BOUNDARY = re.compile(r"""boundary="?([0-9A-Za-z'()+_,./:=?-]{1,70})"?\s*(?:;|$)""")


async def file_body(request: Request, field: str) -> bytes:
    """Return the bytes of the file in form field ``field``, empty if none was chosen.

    The file name and type that the sender states are ignored. Raises ``UnsupportedMedia`` for another content type,
    ``MalformedBody`` for a form without that field or end.
    """
    named = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(named)
    if named.partition(";")[0].strip().lower() != FORM or boundary is None:
        raise UnsupportedMedia(together(said("form_content_type", type=FORM), said("open_and_repeat")))
    return _part(await request.body(), boundary[1].encode(), field)


def _part(body: bytes, boundary: bytes, field: str) -> bytes:
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise MalformedBody(said("form_unreadable"))
    for part in parts[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and re.search(rb'form-data;(?:[^\r\n]*;)?\s*name="' + field.encode() + b'"', head):
            return content
    raise MalformedBody(said("form_unreadable"))
