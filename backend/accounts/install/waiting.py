"""Installations that wait for the operator: for the integration's secret key, or for confirmation of the account."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.accounts.install.hosts import usable
from backend.accounts.install.pending import ANSWER_SECONDS, CODE_SECONDS, OpenInstall, waiting_answers, waiting_codes
from backend.accounts.integrations import all_integrations, known_keys
from backend.resources import Resources
from backend.storage.models import Integration

FEW = 5
"""Most integrations shown, because anybody may send a code. Keys of the others can be entered nevertheless."""
LOOKS_LIKE_KOMMOS = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Leaves no room for a stranger's text: Kommo's own ids are UUIDs."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Pending installations of one integration.

    ``hosts``: host → minutes until it expires, newest first; ``more``: how many hosts are not listed. ``problem``: why
    the known key connects nothing, or ''. ``source``: origin of the known key, or ''. ``needs_key``: a key must be
    entered, because none is known or Kommo refuses it; otherwise a confirmation is enough.
    """

    client_id: str
    hosts: dict[str, int]
    more: int
    problem: str
    source: str
    needs_key: bool

    @property
    def minutes(self) -> int:
        """Minutes until the last host's installation expires."""
        return max(self.hosts.values())


@dataclass(frozen=True, slots=True)
class Installations:
    """``shown``: those of known integrations first, then the newest. ``more``: how many integrations are not shown."""

    shown: list[Installation]
    more: int


async def waiting_installations(resources: Resources) -> Installations:
    """The installations that wait for the operator, without their codes. Codes that are about to be used are left
    out."""
    waiting: dict[str, list[OpenInstall]] = {}
    answers = [one for one in await waiting_answers(resources) if one.awaits_yes]
    for one in [*answers, *await waiting_codes(resources)]:
        if LOOKS_LIKE_KOMMOS.fullmatch(one.client_id):
            waiting.setdefault(one.client_id, []).append(one)
    async with resources.database.read() as session:
        known = {row.client_id: row for row in await all_integrations(session) if known_keys(resources, row)}
    found = []
    for client_id, some in waiting.items():
        stuck = await _stuck(resources, client_id, some) if client_id in known else some
        if stuck:
            found.append(_installation(stuck, known.get(client_id), resources.clock()))
    found.sort(key=lambda one: not one.source)
    return Installations(found[:FEW], len(found[FEW:]))


async def _stuck(resources: Resources, client_id: str, waiting: list[OpenInstall]) -> list[OpenInstall]:
    """The installations that do not connect by themselves."""
    codes = [one for one in waiting if one.kind == "code"]
    proven = await usable(resources, client_id, codes)
    return [one for one in waiting if one not in proven or one.problem]


def _installation(waiting: Sequence[OpenInstall], known: Integration | None, now: float) -> Installation:
    hosts: dict[str, int] = {}
    for one in waiting:
        life = CODE_SECONDS if one.kind == "code" else ANSWER_SECONDS
        hosts.setdefault(_name(one), math.ceil((life - (now - one.received_at)) / 60) or 1)
    problem = next((one.problem for one in waiting if one.problem), "") if known else ""
    return Installation(
        client_id=waiting[0].client_id,
        hosts=dict(list(hosts.items())[:FEW]),
        more=len(list(hosts)[FEW:]),
        problem=problem,
        source=known.source if known else "",
        needs_key=known is None or bool(problem),
    )


def _name(one: OpenInstall) -> str:
    return one.subdomain or urlsplit(one.base_url).netloc
