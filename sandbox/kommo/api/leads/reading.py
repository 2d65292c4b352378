"""How the text of a note or task comes back, in each reading of that doubt."""

import re
from html import escape

from sandbox.kommo.switches import Switches

CUT = 64
_EMOJI = re.compile(r"[\u2600-\u27bf\U0001f000-\U0001faff\u200d\ufe0f]+")
_BLANKS = re.compile(r"\s+")


def as_read(text: str, switches: Switches) -> str:
    if switches.reads("text_reading", "cut_at_emoji"):
        return _EMOJI.split(text, maxsplit=1)[0]
    if switches.reads("text_reading", "cut_at_64"):
        return text[:CUT]
    if switches.reads("text_reading", "other_blanks"):
        return _BLANKS.sub(" ", text).replace(" ", "\u00a0", 1)
    if switches.reads("text_reading", "entities"):
        return escape(text).replace("\n", "<br>")
    return _EMOJI.sub("", text) if switches.reads("text_reading", "no_emoji") else text
