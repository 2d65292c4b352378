"""Installations that wait for the operator: for the integration's secret key, or for a yes to the account."""

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
"""Anybody may bring a code: so many integrations are shown. The others' keys can be given all the same."""
LOOKS_LIKE_KOMMOS = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Room for no words of a stranger's: Kommo's own ids are UUIDs."""


@dataclass(frozen=True, slots=True)
class Installation:
    """``hosts``: the accounts that ask to connect, newest first, each with the minutes that it can still be connected;
    ``more``: how many are not listed.

    ``problem``: why the key that is known here connects nothing; empty where none is. ``source`` is that key's.
    ``needs_key``: a key is to be given, for none is known or Kommo refuses it; else a yes is enough.
    """

    client_id: str
    hosts: dict[str, int]
    more: int
    problem: str
    source: str
    needs_key: bool

    @property
    def minutes(self) -> int:
        return max(self.hosts.values())


@dataclass(frozen=True, slots=True)
class Installations:
    """``shown``: those of known integrations first, then the newest. ``more``: how many integrations are not shown."""

    shown: list[Installation]
    more: int


async def waiting_installations(resources: Resources) -> Installations:
    """Without their codes. A code that is about to be used is not among them."""
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
    """What connects by itself is left out."""
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
