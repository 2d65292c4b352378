"""The one file of a form of ours, as a browser sends it: read whole, and no further than this one shape."""

import re

from fastapi import Request

from backend.core.errors import MalformedBody, UnsupportedMedia

FORM = "multipart/form-data"
_BOUNDARY = re.compile(r"""boundary="?([0-9A-Za-z'()+_,./:=?-]{1,70})"?\s*(?:;|$)""")


async def file_body(request: Request, field: str) -> bytes:
    """The content of the file in ``field``, empty where none was chosen. Raises ``UnsupportedMedia`` or
    ``MalformedBody``. The name that the sender gives the file, and the type, are not read."""
    named = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(named)
    if named.partition(";")[0].strip().lower() != FORM or boundary is None:
        raise UnsupportedMedia(f"A picture is sent as {FORM}.")
    return _part(await request.body(), boundary[1].encode(), field)


def _part(body: bytes, boundary: bytes, field: str) -> bytes:
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise MalformedBody("The form can't be read. Open the page again and repeat.")
    for part in parts[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and re.search(rb'form-data;(?:[^\r\n]*;)?\s*name="' + field.encode() + b'"', head):
            return content
    raise MalformedBody("The form can't be read. Open the page again and repeat.")
