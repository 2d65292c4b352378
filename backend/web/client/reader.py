"""The reader of a page: their language, and the region that decides how money is written."""

from dataclasses import dataclass

from babel.core import get_global
from fastapi import Request

from backend.core.i18n import locale_of
from backend.web.http.language import of_client, region_of


@dataclass(frozen=True, slots=True)
class Reader:
    """``region``: the link's or the browser's, such as "MX"; "" if neither names one."""

    language: str
    region: str = ""

    def locale(self, timezone: str) -> str:
        """Return the locale of amounts, such as ``es_MX``: the reader's region, else the country of the account's time
        zone.
        """
        return locale_of(self.language, self.region or get_global("zone_territories").get(timezone, ""))

    def spoken(self, timezone: str) -> str:
        """Return the same locale as ``?lang=`` expects it, such as ``es-MX``."""
        return self.locale(timezone).replace("_", "-")


def reader_of(request: Request) -> Reader:
    """Return the reader of a request."""
    return Reader(of_client(request), region_of(request))
