"""Name and contact details of a business on the client's pages, each checked before it is stored."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StrictStr

from backend.core.sentences.said import said

_HIDDEN = re.compile("[\x00-\x1f\x7f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Not the two joiners, which Persian words and emoji need. A name that was once stored must stay valid."""
_JOINERS = "\u200c\u200d"
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]*")
_EMAIL = re.compile(r"[^\s@<>,;:?&%\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
LEAST_DIGITS, MOST_DIGITS = 5, 15


def digits(number: str) -> str:
    """The digits of a phone number, without its punctuation."""
    return re.sub("[^0-9]", "", number)


def _name(text: str) -> str:
    if _HIDDEN.search(text):
        raise ValueError(said("reason_hidden"))
    return text.strip() if text.strip(f" {_JOINERS}") else ""


def _phone(text: str) -> str:
    text = text.strip()
    if text and not (_PHONE.fullmatch(text) and text.isascii() and LEAST_DIGITS <= len(digits(text)) <= MOST_DIGITS):
        raise ValueError(said("reason_phone"))
    return text


def _whatsapp(text: str) -> str:
    text = _phone(text)
    if text and not text.startswith("+"):
        raise ValueError(said("reason_whatsapp"))
    return text


def _email(text: str) -> str:
    text = text.strip()
    if text and not _EMAIL.fullmatch(text):
        raise ValueError(said("reason_email"))
    return text


BusinessName = Annotated[StrictStr, Field(max_length=80), AfterValidator(_name)]
Phone = Annotated[StrictStr, Field(max_length=30), AfterValidator(_phone)]
WhatsApp = Annotated[StrictStr, Field(max_length=30), AfterValidator(_whatsapp)]
Email = Annotated[StrictStr, Field(max_length=120), AfterValidator(_email)]
