"""Who reads a page: the language, and the region by which money is written."""

from dataclasses import dataclass

from babel.core import get_global
from fastapi import Request

from backend.core.i18n import locale_of
from backend.web.http.language import of_client, region_of


@dataclass(frozen=True, slots=True)
class Reader:
    """``region`` is the browser's or the link's, as "MX"; "" where neither names one."""

    language: str
    region: str = ""

    def locale(self, timezone: str) -> str:
        """The locale of amounts: in the reader's region, else in the country of the account's time zone."""
        return locale_of(self.language, self.region or get_global("zone_territories").get(timezone, ""))

    def spoken(self, timezone: str) -> str:
        """The same as ``?lang=`` takes it."""
        return self.locale(timezone).replace("_", "-")


def reader_of(request: Request) -> Reader:
    return Reader(of_client(request), region_of(request))
