"""The fields of a form of our pages, read whole: one content type, UTF-8 only, and a bounded number of fields."""

from urllib.parse import parse_qsl

from fastapi import Request

from backend.core.errors import MalformedBody, UnsupportedMedia
from backend.core.sentences.said import said

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 2000
"""An account may have fifty pipelines with two selects each, and checkboxes for hundreds of users."""


async def form_body(request: Request) -> dict[str, str]:
    """Return each field's value by its name; several values of one name, as checkboxes send, are joined with ``", "``.

    Raises ``UnsupportedMedia`` or ``MalformedBody``. The charset in the content type is ignored: a codec is code that
    the caller would choose, and our pages are UTF-8.
    """
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named not in ("", FORM):
        raise UnsupportedMedia(said("form_content_type", type=FORM))
    body = await request.body()
    if body and not named:
        raise UnsupportedMedia(said("form_no_content_type", type=FORM))
    return _joined(_fields(body))


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:  # too many fields, or not UTF-8
        raise MalformedBody(said("form_unreadable")) from error


def _joined(fields: list[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {name: ", ".join(its) for name, its in values.items()}
