"""Installations that wait: their codes came, and the integration's secret key is not known here, or is wrong."""

import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.accounts.install.pending import CODE_SECONDS, OpenInstall, waiting_codes
from backend.accounts.integrations import all_integrations, known_keys
from backend.resources import Resources
from backend.storage.models import Integration

FEW = 5
"""Anybody may bring a code: so many integrations are shown. The others' keys can be given all the same."""
LOOKS_LIKE_KOMMOS = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Room for no words of a stranger's: Kommo's own ids are UUIDs."""


@dataclass(frozen=True, slots=True)
class Installation:
    """``hosts``: the accounts' hosts, each with the minutes that its newest code is still good.

    ``problem``: why the key that is known here connects nothing; empty where none is. ``source`` is that key's.
    """

    client_id: str
    hosts: dict[str, int]
    problem: str
    source: str

    @property
    def minutes(self) -> int:
        return max(self.hosts.values())


@dataclass(frozen=True, slots=True)
class Installations:
    """``shown``: those of known integrations first, then the newest. ``more``: how many integrations are not shown."""

    shown: list[Installation]
    more: int


async def waiting_installations(resources: Resources) -> Installations:
    """Without their codes. A code whose key is known and not refused is not among them: it is about to be used."""
    codes: dict[str, list[OpenInstall]] = {}
    for one in await waiting_codes(resources):
        if LOOKS_LIKE_KOMMOS.fullmatch(one.client_id):
            codes.setdefault(one.client_id, []).append(one)
    async with resources.database.read() as session:
        known = {row.client_id: row for row in await all_integrations(session) if known_keys(resources, row)}
    found = [_installation(some, known.get(client_id), resources.clock()) for client_id, some in codes.items()]
    pending = sorted((one for one in found if one.problem or not one.source), key=lambda one: not one.source)
    return Installations(pending[:FEW], len(pending[FEW:]))


def _installation(codes: list[OpenInstall], known: Integration | None, now: float) -> Installation:
    hosts: dict[str, int] = {}
    for one in codes:
        hosts.setdefault(urlsplit(one.base_url).netloc, math.ceil((CODE_SECONDS - (now - one.received_at)) / 60) or 1)
    problem = next((one.problem for one in codes if one.problem), "") if known else ""
    return Installation(codes[0].client_id, hosts, problem, known.source if known else "")
